//! A policy component made of a core module in text and the contract's world.

use domain::risk::Outcome;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata, metadata};

use super::{Answer, Description, MemoryImage, load};
use crate::component::with_golden_cases;
use crate::contract::version::ContractVersion;
use crate::policy::Policy;

const WASI: &str = include_str!("wasi.wit");

/// Gives out memory from the end of the image on, never any of it twice. Takes alignments of up to 8.
const BUMP: &str = "
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (local.get $at)";

/// What bodies may call: `$say` answers with approve and a text as the message of its one reason, whose code is `said`;
/// `$observe` says bytes in hexadecimal; `$score` approves with a score. `$past_amount` takes the address of a request and
/// answers with one from which what lies behind the amount is as far away as in version 0.1.
const PRELUDE: &str = r#"
    (func $allocate (param $size i32) (result i32)
        (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (local.get $size)))
    (func $score (param $score i32) (result i32)
        (local $answer i32)
        (local.set $answer (call $allocate (i32.const 16)))
        (i32.store16 offset=6 (local.get $answer) (local.get $score))
        (local.get $answer))
    (func $say (param $text i32) (param $length i32) (result i32)
        (local $answer i32) (local $reason i32)
        (local.set $answer (call $score (i32.const 0)))
        (local.set $reason (call $allocate (i32.const 24)))
        (i64.store (local.get $reason) (i64.const 0x64696173)) ;; `said`
        (i32.store offset=8 (local.get $reason) (local.get $reason))
        (i32.store offset=12 (local.get $reason) (i32.const 4))
        (i32.store offset=16 (local.get $reason) (local.get $text))
        (i32.store offset=20 (local.get $reason) (local.get $length))
        (i32.store offset=8 (local.get $answer) (i32.add (local.get $reason) (i32.const 8)))
        (i32.store offset=12 (local.get $answer) (i32.const 1))
        (local.get $answer))
    (func $digit (param $nibble i32) (result i32)
        (i32.add (i32.add (local.get $nibble) (i32.const 48))
            (i32.mul (i32.gt_u (local.get $nibble) (i32.const 9)) (i32.const 39))))
    (func $observe (param $from i32) (param $length i32) (result i32)
        (local $text i32) (local $index i32) (local $byte i32) (local $to i32)
        (local.set $text (call $allocate (i32.mul (local.get $length) (i32.const 2))))
        (block $done
            (loop $next
                (br_if $done (i32.eq (local.get $index) (local.get $length)))
                (local.set $byte (i32.load8_u (i32.add (local.get $from) (local.get $index))))
                (local.set $to (i32.add (local.get $text) (i32.mul (local.get $index) (i32.const 2))))
                (i32.store8 (local.get $to) (call $digit (i32.shr_u (local.get $byte) (i32.const 4))))
                (i32.store8 offset=1 (local.get $to) (call $digit (i32.and (local.get $byte) (i32.const 15))))
                (local.set $index (i32.add (local.get $index) (i32.const 1)))
                (br $next)))
        (call $say (local.get $text) (i32.mul (local.get $length) (i32.const 2))))"#;

/// A policy under construction. It describes itself as nothing and approves, unless told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    contract: String,
    wasi: String,
    number: &'static str,
    /// Bytes that an amount has more than it had in version 0.1.
    longer_by: u32,
    world: String,
    imports: String,
    items: String,
    memory: String,
    realloc: String,
    describe: String,
    evaluate: String,
    /// The parameter of `evaluate`.
    request: String,
    image: MemoryImage,
    golden_cases: Option<String>,
    is_stripped: bool,
}

impl Guest {
    pub(crate) fn new() -> Self {
        let mut image = MemoryImage::default();
        let description = Description::of("a policy of the tests").put(&mut image);
        let answer = Answer::of(Outcome::Approve, 0).put(&mut image);
        Self {
            contract: ContractVersion::V0_1.wit().to_owned(),
            wasi: WASI.to_owned(),
            number: ContractVersion::V0_1.number(),
            longer_by: 0,
            world: String::new(),
            imports: String::new(),
            items: String::new(),
            memory: "4".to_owned(),
            realloc: BUMP.to_owned(),
            describe: format!("(i32.const {description})"),
            evaluate: format!("(i32.const {answer})"),
            request: "(param $request i32)".to_owned(),
            image,
            golden_cases: None,
            is_stripped: false,
        }
    }

    /// Answers this, whatever it is asked.
    pub(crate) fn answering(answer: &Answer) -> Self {
        let mut guest = Self::new();
        guest.evaluate = format!("(i32.const {})", guest.lay_out(answer));
        guest
    }

    /// Refuses with this text.
    pub(crate) fn refusing(text: impl AsRef<[u8]>) -> Self {
        let mut guest = Self::new();
        guest.evaluate = format!("(i32.const {})", guest.lay_out_refusal(text));
        guest
    }

    /// Runs these instructions, which leave the address of the answer. `$request` is the address of the request.
    pub(crate) fn evaluating(body: &str) -> Self {
        Self::new().then_evaluating(body)
    }

    /// The same, with these instructions for `evaluate`.
    pub(crate) fn then_evaluating(mut self, body: &str) -> Self {
        self.evaluate = body.to_owned();
        self
    }

    /// The same, with these parameters of the core function that is `evaluate`.
    pub(crate) fn taking(mut self, parameters: &str) -> Self {
        self.request = parameters.to_owned();
        self
    }

    /// The same, with these instructions for `describe`.
    pub(crate) fn describing(mut self, body: &str) -> Self {
        self.describe = body.to_owned();
        self
    }

    /// The same, with these instructions for `cabi_realloc`.
    pub(crate) fn reallocating(mut self, body: &str) -> Self {
        self.realloc = body.to_owned();
        self
    }

    /// The same under another description.
    pub(crate) fn described(mut self, description: &Description) -> Self {
        self.describe = format!("(i32.const {})", description.put(&mut self.image));
        self
    }

    /// The same, with a core function of this name and type that leads to a function of an interface.
    pub(crate) fn importing(mut self, interface: &str, function: &str, signature: &str) -> Self {
        self.imports.push_str(&format!(
            "(import \"{interface}\" \"{function}\" (func {signature}))\n"
        ));
        let of_wasi = interface.starts_with("wasi:");
        if of_wasi && !self.world.contains(interface) {
            self.world.push_str(&format!("import {interface};\n"));
        }
        self
    }

    /// The same, with a function that belongs to no interface.
    pub(crate) fn importing_function(mut self, name: &str) -> Self {
        self.imports
            .push_str(&format!("(import \"$root\" \"{name}\" (func))\n"));
        self.world.push_str(&format!("import {name}: func();\n"));
        self
    }

    /// The same, with these functions, globals and tables.
    pub(crate) fn with(mut self, items: &str) -> Self {
        self.items.push_str(items);
        self
    }

    /// The same, with this type of memory, such as `4` (pages) or `1 10`.
    pub(crate) fn memory(mut self, memory: &str) -> Self {
        self.memory = memory.to_owned();
        self
    }

    /// Puts bytes into its memory, and says where.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> u32 {
        self.image.put(bytes)
    }

    /// The same, built for a contract that says `new` in the place of `old`.
    pub(crate) fn for_contract_with(mut self, old: &str, new: &str) -> Self {
        assert!(self.contract.contains(old), "the contract does not say `{old}`");
        self.contract = self.contract.replace(old, new);
        self
    }

    /// The same, built for a WASI that says `new` in the place of `old`.
    pub(crate) fn for_wasi_with(mut self, old: &str, new: &str) -> Self {
        assert!(self.wasi.contains(old), "WASI does not say `{old}`");
        self.wasi = self.wasi.replace(old, new);
        self
    }

    /// The same, built for this version of the contract; otherwise it is the first.
    pub(crate) fn built_for(mut self, version: ContractVersion) -> Self {
        version.wit().clone_into(&mut self.contract);
        self.number = version.number();
        self.longer_by = match version {
            ContractVersion::V0_1 => 0,
            ContractVersion::V0_2 => 8,
        };
        self
    }

    /// The same, built for a contract of another number.
    pub(crate) fn numbered(mut self, number: &'static str) -> Self {
        self = self.for_contract_with("@0.1.0", &format!("@{number}"));
        self.number = number;
        self
    }

    /// The same, carrying these golden cases.
    pub(crate) fn with_golden_cases(mut self, json: impl Into<String>) -> Self {
        self.golden_cases = Some(json.into());
        self
    }

    /// The same without the names of its functions.
    pub(crate) fn stripped(mut self) -> Self {
        self.is_stripped = true;
        self
    }

    /// Puts an answer into its memory, and says where.
    pub(crate) fn lay_out(&mut self, answer: &Answer) -> u32 {
        answer.put(&mut self.image)
    }

    /// Puts the answer of a policy that refuses into its memory, and says where.
    pub(crate) fn lay_out_refusal(&mut self, text: impl AsRef<[u8]>) -> u32 {
        Answer::put_refusal(text.as_ref(), &mut self.image)
    }

    /// The core module, which says what world it was built for.
    pub(crate) fn core_module(&self) -> Vec<u8> {
        let text = self.text();
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        if self.is_stripped {
            module = without_names(&module);
        }
        let mut resolve = metadata::Bindgen::default().resolve;
        resolve.push_str("risk-policy.wit", &self.contract).unwrap();
        resolve.push_str("wasi.wit", &self.wasi).unwrap();
        let world = format!(
            "package portcullis-test:guest; world guest {{ include portcullis:policy/risk-policy@{}; {} }}",
            self.number, self.world
        );
        let package = resolve.push_str("guest.wit", &world).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        module
    }

    /// The component.
    pub(crate) fn component(&self) -> Vec<u8> {
        let module = self.core_module();
        let component = ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .and_then(|mut encoder| encoder.encode())
            .unwrap_or_else(|error| panic!("{error:#}"));
        match &self.golden_cases {
            Some(cases) => with_golden_cases(&component, cases.as_bytes()).unwrap(),
            None => component,
        }
    }

    /// The policy, loaded.
    pub(crate) fn policy(&self) -> Policy {
        load(&self.component())
    }

    fn text(&self) -> String {
        let Self {
            imports,
            items,
            memory,
            realloc,
            describe,
            evaluate,
            request,
            image,
            longer_by,
            ..
        } = self;
        let (heap, segment) = (image.end(), image.segment());
        format!(
            r#"(module
    {imports}
    (memory (export "memory") {memory})
    (global $heap (mut i32) (i32.const {heap}))
    (func $realloc (export "cabi_realloc")
        (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
        {realloc})
    {PRELUDE}
    (func $past_amount (param $request i32) (result i32)
        (i32.add (local.get $request) (i32.const {longer_by})))
    (func $describe (export "describe") (result i32) {describe})
    (func $evaluate (export "evaluate") {request} (result i32) {evaluate})
    {items}
    {segment})"#
        )
    }
}

/// A core module without its section of names.
fn without_names(module: &[u8]) -> Vec<u8> {
    let mut stripped = wasm_encoder::Module::new();
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        let payload = payload.unwrap();
        if matches!(&payload, wasmparser::Payload::CustomSection(section) if section.name() == "name") {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            stripped.section(&wasm_encoder::RawSection {
                id,
                data: &module[range],
            });
        }
    }
    stripped.finish()
}
