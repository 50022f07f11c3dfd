//! A guest for tests: it calls itself without end, with frames on the stack that its language keeps in linear memory.

use std::hint::black_box;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

/// Too large for registers, so that it lies on the stack of the guest's own.
const FRAME_BYTES: usize = 1024;

#[expect(unconditional_recursion, reason = "this is what it is for")]
fn deeper(level: u8) -> u8 {
    let frame = black_box([level; FRAME_BYTES]);
    deeper(black_box(level.wrapping_add(1))).wrapping_add(frame.iter().copied().fold(0, u8::wrapping_add))
}

struct Recurses;

impl Policy for Recurses {
    fn describe() -> Descriptor {
        Descriptor::new("recurses")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        Ok(Decision::approve().score(u16::from(deeper(0))))
    }
}

export_policy!(Recurses);
