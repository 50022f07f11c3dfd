//! The misbehaving guests of `plugins/misbehaving`: built together, assembled from text, or generated.

pub mod generated;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata, metadata};

use crate::build::{repository, target};

/// The contract that guests in text are assembled for. The only place of the tests that knows where it lies.
const CONTRACT: &str = "wit/v0.1/risk-policy.wit";

/// Where the guests are.
const FOLDER: &str = "plugins/misbehaving";

/// What cargo makes of one of the guests in Rust, such as `spins`.
///
/// # Panics
/// When they do not build, or there is none of this name.
#[must_use]
pub fn rust(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let policies = target().join("policies");
    BUILT.get_or_init(|| {
        let arguments =
            "build --quiet --locked --release --target wasm32-wasip2 --package misbehaving --examples";
        let built = Command::new(env!("CARGO"))
            .args(arguments.split(' '))
            .current_dir(repository().join("plugins"))
            .env("CARGO_TARGET_DIR", &policies)
            .status();
        assert!(
            built.expect("cargo runs").success(),
            "the misbehaving guests do not build"
        );
    });
    let file = format!("wasm32-wasip2/release/examples/{}.wasm", name.replace('-', "_"));
    let file = policies.join(file);
    assert!(file.is_file(), "there is no guest {name}: {}", file.display());
    file
}

/// How a guest is to run where a test says nothing else. A test replaces what it wants otherwise.
#[must_use]
pub fn manifest(name: &str) -> String {
    format!(
        "name = \"{name}\"\nversion = \"1.0.0\"\npriority = 100\ngrants = []\n\n[failure_mode]\ndefault = \"review\"\n"
    )
}

/// A guest of `plugins/misbehaving/wat`: a core module is made a component, a component is taken as it is.
///
/// # Panics
/// When there is none, or it cannot be assembled.
#[must_use]
pub fn text(name: &str) -> Vec<u8> {
    let path = repository().join(FOLDER).join("wat").join(format!("{name}.wat"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assembled(name, &text)
}

/// The component of a guest in text.
///
/// # Panics
/// When it cannot be assembled.
#[must_use]
pub fn assembled(name: &str, text: &str) -> Vec<u8> {
    let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    if bytes.get(4..8) == Some(&[1, 0, 0, 0]) {
        component(name, bytes)
    } else {
        bytes
    }
}

/// Makes a policy's component of a core module.
fn component(name: &str, mut module: Vec<u8>) -> Vec<u8> {
    let contract = std::fs::read_to_string(repository().join(CONTRACT)).expect("the contract");
    let wasi = std::fs::read_to_string(repository().join(FOLDER).join("wit/wasi.wit")).expect("WASI");
    let mut resolve = metadata::Bindgen::default().resolve;
    let mut world = format!(
        "package misbehaving:guest;\nworld guest {{ include {}; ",
        world_of(&contract)
    );
    for interface in ["wasi:clocks/monotonic-clock@0.2.0", "wasi:random/random@0.2.0"] {
        if contains(&module, interface.as_bytes()) {
            world.push_str(&format!("import {interface}; "));
        }
    }
    world.push('}');
    let pushed = resolve
        .push_str("contract.wit", &contract)
        .and_then(|_| resolve.push_str("wasi.wit", &wasi))
        .and_then(|_| resolve.push_str("guest.wit", &world));
    let package = pushed.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    let world = resolve.select_world(&[package], None).expect("the guest's world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    // Not validated: what is wrong with a guest is for the gateway to find.
    ComponentEncoder::default()
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .unwrap_or_else(|error| panic!("{name}: {error:#}"))
}

/// `portcullis:policy/risk-policy@0.1.0`, by what the contract says of itself.
fn world_of(contract: &str) -> String {
    let package = contract
        .lines()
        .find_map(|line| line.strip_prefix("package ")?.strip_suffix(';'));
    let (name, version) = package
        .and_then(|package| package.split_once('@'))
        .expect("the contract has a version");
    format!("{name}/risk-policy@{version}")
}

/// The contract that a component was built for, by its import of the contract's types; the one of the guests in text where
/// it has none.
///
/// # Panics
/// When the contract cannot be read.
#[must_use]
pub fn contract_of(component: &[u8]) -> String {
    const TYPES: &[u8] = b"portcullis:policy/types@";
    let version = component
        .windows(TYPES.len())
        .position(|window| window == TYPES)
        .map(|at| {
            component[at + TYPES.len()..]
                .iter()
                .map(|byte| char::from(*byte))
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect::<String>()
        });
    let contract = std::fs::read_to_string(repository().join(CONTRACT)).expect("the contract");
    let world = world_of(&contract);
    let own = world.rsplit('@').next().unwrap_or_default();
    format!("portcullis:policy@{}", version.as_deref().unwrap_or(own))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
