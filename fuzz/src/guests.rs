//! Artifacts made of fuzz input.
//!
//! An input that begins as WebAssembly does is the artifact as it is: real components are seeds, and what the fuzzer makes
//! of them are others. Else the first byte says what the rest is a recipe for; the text seeds in `corpus/` begin with one.
//!
//! | byte modulo 4 | |
//! |---|---|
//! | 0 | any component that wasm-smith can make |
//! | 1 | any core module |
//! | 2 | a core module that exports what a policy exports, with any code in it that loops for a while at most |
//! | 3 | a policy whose descriptor and answer are the rest of the input: hostile values where the host reads |

use std::borrow::Cow;
use std::sync::LazyLock;

use arbitrary::Unstructured;
use wasm_encoder::{ConstExpr, DataSection, Section as _};
use wasm_smith::{Component, Config, Module};
use wit_component::{StringEncoding, embed_component_metadata, metadata::Bindgen};

const CONTRACT: &str = include_str!("../../wit/v0.1/risk-policy.wit");
const CONTRACT_PACKAGE: &str = "portcullis:policy/risk-policy@0.1.0";
const WASI: &str = include_str!("../../plugin-host/src/testing/wasi.wit");

/// What random code may call, and what it must be called by.
const SHAPE: &str = r#"(module
    (import "portcullis:policy/host@0.1.0" "emit-signal" (func (param i32 i32 i32 i32)))
    (import "portcullis:policy/host@0.1.0" "log" (func (param i32 i32 i32)))
    (import "wasi:random/random@0.2.0" "get-random-u64" (func (result i64)))
    (import "wasi:random/random@0.2.0" "get-random-bytes" (func (param i64 i32)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func (result i64)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func (param i32)))
    (import "wasi:io/poll@0.2.0" "poll" (func (param i32 i32 i32)))
    (import "wasi:cli/exit@0.2.0" "exit" (func (param i32)))
    (import "wasi:cli/environment@0.2.0" "get-arguments" (func (param i32)))
    (import "wasi:cli/stdin@0.2.0" "get-stdin" (func (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func (param i32 i64 i32)))
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func (param i32 i32 i32 i32)))
    (import "wasi:filesystem/preopens@0.2.0" "get-directories" (func (param i32)))
    (memory (export "memory") 2)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "describe") (result i32) unreachable)
    (func (export "evaluate") (param i32) (result i32) unreachable))"#;

/// The interfaces of [`SHAPE`], as a world says them.
const WORLD_IMPORTS: &str = "import wasi:random/random@0.2.0; import wasi:clocks/monotonic-clock@0.2.0;
    import wasi:io/poll@0.2.0; import wasi:cli/exit@0.2.0; import wasi:cli/environment@0.2.0;
    import wasi:cli/stdin@0.2.0; import wasi:io/streams@0.2.0; import wasi:cli/stdout@0.2.0;
    import wasi:filesystem/preopens@0.2.0;";

/// Where the answers of the last kind of guest begin: its descriptor, and 32 bytes later its decision.
const IMAGE_AT: i32 = 1024;

/// The last kind of guest without its memory's contents, which come as the last section.
const ANSWERING: &str = r#"(module
    (memory (export "memory") 4)
    (global $heap (mut i32) (i32.const 131072))
    (func (export "cabi_realloc")
        (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
    (func (export "describe") (result i32) (i32.const 1024))
    (func (export "evaluate") (param i32) (result i32) (i32.const 1056)))"#;

/// How often random code may enter a loop or a function before it stops by itself.
const LOOPS: u32 = 10_000;

/// Texts in WebAssembly, once.
struct Prepared {
    shape: Vec<u8>,
    answering: Vec<u8>,
    /// The section that says what world a core module was built for; it may stand at the end of any.
    metadata: Vec<u8>,
}

static PREPARED: LazyLock<Prepared> = LazyLock::new(|| Prepared {
    shape: wat::parse_str(SHAPE).expect("the shape is WebAssembly"),
    answering: wat::parse_str(ANSWERING).expect("the guest is WebAssembly"),
    metadata: metadata(),
});

fn metadata() -> Vec<u8> {
    let mut resolve = Bindgen::default().resolve;
    let mut add = |text: &str| {
        resolve
            .push_str("guest.wit", text)
            .expect("the interfaces are WIT")
    };
    add(CONTRACT);
    add(WASI);
    let world = format!(
        "package portcullis-fuzz:guest; world guest {{ include {CONTRACT_PACKAGE}; {WORLD_IMPORTS} }}"
    );
    let package = add(&world);
    let world = resolve
        .select_world(&[package], None)
        .expect("the package has one world");
    let mut module = wasm_encoder::Module::HEADER.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("an empty module");
    module.split_off(wasm_encoder::Module::HEADER.len())
}

/// The artifact that the input is, or is a recipe for. None where the recipe leads nowhere.
pub fn artifact(data: &[u8]) -> Option<Cow<'_, [u8]>> {
    if data.starts_with(b"\0asm") {
        return Some(Cow::Borrowed(data));
    }
    let (kind, recipe) = data.split_first()?;
    let mut recipe_bytes = Unstructured::new(recipe);
    let made = match kind % 4 {
        0 => Component::new(config(None), &mut recipe_bytes).ok()?.to_bytes(),
        1 => Module::new(config(None), &mut recipe_bytes).ok()?.to_bytes(),
        2 => {
            let shape = PREPARED.shape.clone();
            let mut module = Module::new(config(Some(shape)), &mut recipe_bytes).ok()?;
            module.ensure_termination(LOOPS).ok()?;
            let mut module = module.to_bytes();
            module.extend_from_slice(&PREPARED.metadata);
            module
        }
        _ => answering(recipe),
    };
    Some(Cow::Owned(made))
}

/// A policy that answers with these bytes.
pub fn answering(image: &[u8]) -> Vec<u8> {
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(IMAGE_AT), image.iter().copied());
    let mut module = PREPARED.answering.clone();
    data.append_to(&mut module);
    module.extend_from_slice(&PREPARED.metadata);
    module
}

/// What wasm-smith may use: what the engine takes, and a little of what it does not.
fn config(module_shape: Option<Vec<u8>>) -> Config {
    let shaped = module_shape.is_some();
    Config {
        module_shape,
        allow_invalid_funcs: !shaped,
        allow_start_export: true,
        exceptions_enabled: !shaped,
        gc_enabled: !shaped,
        memory64_enabled: !shaped,
        threads_enabled: !shaped,
        max_memories: if shaped { 1 } else { 4 },
        // A guest that asks for all memory there is is refused at once, and nothing else of it is seen.
        max_memory32_bytes: 64 * 1024 * 1024,
        max_instructions: 200,
        ..Config::default()
    }
}
