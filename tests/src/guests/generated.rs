//! Guests that are too long to be written down. Each is the same in every run.

use super::assembled;

/// What every guest in text has: it describes itself as nothing and approves.
const SOUND: &str = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "describe") (result i32) (i32.const 0))
    (func (export "evaluate") (param i32) (result i32) (i32.const 0))"#;

/// The seed of the generator of every guest.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A generator of numbers that repeat: xorshift64* of Vigna, 2016.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

fn policy(name: &str, items: &str) -> Vec<u8> {
    assembled(
        name,
        &format!("(module {items} (memory (export \"memory\") 1) {SOUND})"),
    )
}

/// A policy with so many types, no two of them the same.
#[must_use]
pub fn types(count: u32) -> Vec<u8> {
    let mut items = String::new();
    for index in 0..count {
        items.push_str("(type (func (param");
        for bit in 0..17 {
            items.push_str(if index >> bit & 1 == 0 { " i32" } else { " i64" });
        }
        items.push_str(")))");
    }
    policy("types", &items)
}

/// A policy with so many functions more than it needs.
#[must_use]
pub fn functions(count: u32) -> Vec<u8> {
    policy("functions", &"(func)".repeat(count as usize))
}

/// A policy with a component within a component, so many deep, beside what it needs.
#[must_use]
pub fn nested_components(depth: usize) -> Vec<u8> {
    let mut bytes = policy("nested-components", "");
    let mut nested = component_header();
    for _ in 1..depth {
        let mut outer = component_header();
        section(&mut outer, COMPONENT_SECTION, &nested);
        nested = outer;
    }
    section(&mut bytes, COMPONENT_SECTION, &nested);
    bytes
}

/// A policy with a type within a type, so many deep, beside what it needs.
#[must_use]
pub fn nested_types(depth: usize) -> Vec<u8> {
    /// What a component type begins with, then a single declaration, then that of a type.
    const COMPONENT_TYPE: [u8; 3] = [0x41, 1, 1];
    let mut types = vec![1];
    for _ in 1..depth {
        types.extend(COMPONENT_TYPE);
    }
    types.extend([0x41, 0]);
    let mut bytes = policy("nested-types", "");
    section(&mut bytes, COMPONENT_TYPE_SECTION, &types);
    bytes
}

/// A policy with a segment of table elements that nothing uses, of so many entries.
#[must_use]
pub fn elements(count: usize) -> Vec<u8> {
    let entries = " $entry".repeat(count);
    policy("elements", &format!("(func $entry) (elem func{entries})"))
}

/// A policy with so many instances of a component of so many exports, in a component of their own.
#[must_use]
pub fn instances_of_exports(instances: usize, exports: usize) -> Vec<u8> {
    let mut names = String::new();
    for index in 0..exports {
        names.push_str(&format!("(export \"thing-{index}\" (type $type))"));
    }
    let instances = "(instance (instantiate $one))".repeat(instances);
    let nested = assembled(
        "instances-of-exports",
        &format!("(component (component $one (type $type u8) {names}) {instances})"),
    );
    let mut bytes = policy("instances-of-exports", "");
    section(&mut bytes, COMPONENT_SECTION, &nested);
    bytes
}

/// A policy that names a type so many times from within another component. The type is a pair of pairs of pairs, almost as large
/// as a type may be, and whoever validates it walks all of it each time.
#[must_use]
pub fn aliases_of_a_large_type(count: usize) -> Vec<u8> {
    /// Pairs within one another: with one more the type would have more than a million parts, which is the most.
    const PAIRS: usize = 17;
    let mut types = "(type $pair0 (tuple u8 u8))".to_owned();
    for pair in 1..=PAIRS {
        let within = pair - 1;
        types.push_str(&format!("(type $pair{pair} (tuple $pair{within} $pair{within}))"));
    }
    let aliases = format!("(alias outer 1 {PAIRS} (type))").repeat(count);
    let nested = assembled(
        "aliases-of-a-large-type",
        &format!("(component {types} (component {aliases}))"),
    );
    let mut bytes = policy("aliases-of-a-large-type", "");
    section(&mut bytes, COMPONENT_SECTION, &nested);
    bytes
}

/// The id of a section that holds a component.
const COMPONENT_SECTION: u8 = 4;

/// The id of a section of types of components.
const COMPONENT_TYPE_SECTION: u8 = 7;

/// The id of a section of instances of components.
const COMPONENT_INSTANCE_SECTION: u8 = 5;

fn component_header() -> Vec<u8> {
    b"\0asm\x0d\0\x01\0".to_vec()
}

fn section(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
    bytes.push(id);
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("seven bits"));
    bytes.extend_from_slice(content);
}

/// A policy with a function of blocks within blocks, so many deep.
#[must_use]
pub fn nested_blocks(depth: usize) -> Vec<u8> {
    let items = format!("(func {} {})", "block ".repeat(depth), "end ".repeat(depth));
    policy("nested-blocks", &items)
}

/// A policy whose memory begins with so many mebibytes that are not zero.
#[must_use]
pub fn data(mebibytes: usize) -> Vec<u8> {
    // `assembled` would take the text, and this is longer as text: a repeated letter needs no escape.
    let pages = mebibytes * 16 + 1;
    let text = "D".repeat(mebibytes * 1024 * 1024);
    assembled(
        "data",
        &format!("(module (memory (export \"memory\") {pages}) (data (i32.const 65536) \"{text}\") {SOUND})"),
    )
}

/// A policy with so many instances of one module more than it needs, in a component of their own.
#[must_use]
pub fn instances(count: usize) -> Vec<u8> {
    beside("instances", "(core module $one)", count)
}

/// A policy with so many memories, its own included: the others belong to instances of a component of their own.
#[must_use]
pub fn memories(count: usize) -> Vec<u8> {
    beside("memories", "(core module $one (memory 1))", count - 1)
}

/// A policy beside so many tables of one entry, each of an instance of its own.
#[must_use]
pub fn tables(count: usize) -> Vec<u8> {
    table_entries(count, 1)
}

/// A policy beside so many tables, each of an instance of its own and with so many entries.
#[must_use]
pub fn table_entries(tables: usize, entries: usize) -> Vec<u8> {
    let module = format!("(core module $one (table {entries} funcref))");
    beside("tables", &module, tables)
}

/// A policy beside a component of so many instances of a module.
fn beside(name: &str, module: &str, count: usize) -> Vec<u8> {
    let instances = "(core instance (instantiate $one))".repeat(count);
    let nested = assembled(name, &format!("(component {module} {instances})"));
    let mut bytes = policy(name, "");
    section(&mut bytes, COMPONENT_SECTION, &nested);
    // One instance: of component 0, without arguments.
    section(&mut bytes, COMPONENT_INSTANCE_SECTION, &[1, 0, 0, 0]);
    bytes
}

/// A policy of so many functions that are hard to compile, each of so many rounds: jumps from everywhere to everywhere, and
/// more values alive at once than a machine has registers for.
#[must_use]
pub fn hard_to_compile(functions: usize, rounds: usize) -> Vec<u8> {
    let mut numbers = Numbers(SEED);
    let mut items = String::new();
    for _ in 0..functions {
        hard_function(&mut items, rounds, &mut numbers);
    }
    policy("hard-to-compile", &items)
}

fn hard_function(items: &mut String, rounds: usize, numbers: &mut Numbers) {
    /// Values that are alive all the time.
    const LOCALS: u64 = 64;
    /// Blocks within one another, in a loop: each has a table of jumps out of it and any of those around it.
    const BLOCKS: u64 = 48;
    items.push_str("(func (param i32) (result i32) (local");
    items.push_str(&" i32".repeat(64));
    items.push_str(") ");
    for _ in 0..rounds.div_ceil(48) {
        items.push_str("loop ");
        items.push_str(&"block ".repeat(48));
        for depth in (1..=BLOCKS).rev() {
            let mut local = || numbers.below(LOCALS);
            let (a, b, c) = (local(), local(), local());
            items.push_str(&format!(
                "local.get {a} local.get {b} i32.mul local.get {c} i32.rotl local.tee {b} br_table 0"
            ));
            for _ in 0..8 {
                items.push_str(&format!(" {}", numbers.below(depth + 1)));
            }
            items.push_str(" end ");
        }
        items.push_str("end ");
    }
    items.push_str("local.get 1) ");
}

/// A policy with about so many bytes of code such as compilers make of rules: loads, comparisons, branches, arithmetic and calls.
#[must_use]
pub fn code(bytes: usize) -> Vec<u8> {
    /// What a function comes to.
    const FUNCTION_BYTES: usize = 590;
    let mut numbers = Numbers(SEED);
    let mut items = String::new();
    for index in 0..bytes.div_ceil(FUNCTION_BYTES) {
        ordinary_function(&mut items, index, &mut numbers);
    }
    policy("code", &items)
}

fn ordinary_function(items: &mut String, index: usize, numbers: &mut Numbers) {
    const STATEMENTS: usize = 12;
    items.push_str(&format!(
        "(func $rule{index} (param i32 i32) (result i32) (local i32 i64) "
    ));
    for _ in 0..STATEMENTS {
        let mut below = |bound| numbers.below(bound);
        let (from, to, limit, factor) = (below(16_384), below(16_384), below(1 << 20), below(1 << 16));
        items.push_str(&format!(
            "local.get 0 i32.load offset={from} local.get 1 i32.add local.tee 2 i32.const {limit} i32.gt_u \
             if local.get 2 i32.const {factor} i32.mul local.set 1 \
             else local.get 3 local.get 2 i64.extend_i32_u i64.add local.set 3 end \
             local.get 0 local.get 2 i32.store offset={to} "
        ));
    }
    let result = "local.get 3 i32.wrap_i64 local.get 1 i32.xor";
    match index.checked_sub(1) {
        Some(previous) => items.push_str(&format!("local.get 2 {result} call $rule{previous}) ")),
        None => items.push_str(&format!("{result}) ")),
    }
}
