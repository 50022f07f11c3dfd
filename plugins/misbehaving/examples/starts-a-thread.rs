//! A guest for tests: it starts threads, to go on computing when its own evaluation has ended.

use std::thread;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct StartsAThread;

impl Policy for StartsAThread {
    fn describe() -> Descriptor {
        Descriptor::new("starts-a-thread")
    }

    #[expect(clippy::empty_loop, reason = "this is what it is for")]
    fn evaluate(_: &Request) -> Result<Decision, String> {
        let started = (0..100).filter(|_| thread::Builder::new().spawn(|| loop {}).is_ok());
        Ok(match started.count() {
            0 => Decision::approve().reason("threads.none", "no thread could be started"),
            threads => Decision::decline().reason("threads.started", threads.to_string()),
        })
    }
}

export_policy!(StartsAThread);
