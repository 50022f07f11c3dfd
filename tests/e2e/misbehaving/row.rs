//! One guest: what it is, how it may run, and what is to come of it.

use portcullis_tests::Answer;
use portcullis_tests::guests;
use serde_json::{Value, json};

use super::scene::Scene;

/// A line of a table.
pub(super) struct Row {
    /// The name of the policy.
    pub(super) name: &'static str,
    artifact: Artifact,
    limits: Value,
    pub(super) expected: Expected,
    /// Whether it computes until its deadline, so that it would hold a worker that it runs on.
    pub(super) takes_its_deadline: bool,
    /// Whether it takes so long that the lane has one place for it.
    pub(super) has_one_place: bool,
    /// Whether it is published twice, under two names, to be held against itself.
    pub(super) twice: bool,
    /// What else is to hold, seen after its payments were decided.
    pub(super) also: Option<fn(&Scene, &[Answer])>,
}

enum Artifact {
    Rust(&'static str),
    Text(&'static str),
    Generated(fn() -> Vec<u8>),
}

/// What is to come of a guest.
pub(super) enum Expected {
    /// Each evaluation ends in this fault, whose detail in the log says this.
    Fault(&'static str, &'static str),
    /// It decides: this outcome, with a reason of this code, or with none.
    Answer(&'static str, Option<&'static str>),
    /// It is not taken, under this code, with a message that says this.
    Refused(&'static str, &'static str),
}

impl Row {
    fn new(name: &'static str, artifact: Artifact, expected: Expected) -> Self {
        // Fuel that a busy machine burns well within the longest deadline, so that it is always the same bound that holds.
        let limits = json!({"fuel": 10_000_000, "deadline_ms": 1_000});
        Self {
            name,
            artifact,
            limits,
            expected,
            takes_its_deadline: false,
            has_one_place: false,
            twice: false,
            also: None,
        }
    }

    /// A guest in Rust, under its own name.
    pub(super) fn rust(name: &'static str, expected: Expected) -> Self {
        Self::new(name, Artifact::Rust(name), expected)
    }

    /// A guest in text, under its own name.
    pub(super) fn text(name: &'static str, expected: Expected) -> Self {
        Self::new(name, Artifact::Text(name), expected)
    }

    /// A guest that is made when it is needed.
    pub(super) fn generated(name: &'static str, make: fn() -> Vec<u8>, expected: Expected) -> Self {
        Self::new(name, Artifact::Generated(make), expected)
    }

    /// The same guest under another name, for another row of it.
    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// With so much fuel.
    pub(super) fn fuel(mut self, fuel: u64) -> Self {
        self.limits["fuel"] = json!(fuel);
        self
    }

    /// With so much time, all of which it takes: its fuel outlasts it.
    pub(super) fn deadline_ms(mut self, deadline_ms: u32) -> Self {
        self.limits["deadline_ms"] = json!(deadline_ms);
        self.takes_its_deadline = true;
        self.fuel(1_000_000_000)
    }

    /// One payment at a time: of a release that takes so long on the lane no second one is run meanwhile.
    pub(super) fn one_at_a_time(mut self) -> Self {
        self.has_one_place = true;
        self
    }

    /// With so much memory.
    pub(super) fn memory_mib(mut self, memory_mib: u32) -> Self {
        self.limits["memory_bytes"] = json!(u64::from(memory_mib) << 20);
        self
    }

    /// Published twice.
    pub(super) fn twice(mut self) -> Self {
        self.twice = true;
        self
    }

    /// With something else that is to hold.
    pub(super) fn also(mut self, also: fn(&Scene, &[Answer])) -> Self {
        self.also = Some(also);
        self
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self.artifact {
            Artifact::Rust(name) => std::fs::read(guests::rust(name)).expect("a component"),
            Artifact::Text(name) => guests::text(name),
            Artifact::Generated(make) => make(),
        }
    }

    /// The file of `plugins/misbehaving` that it is, where it is one.
    pub(super) fn file(&self) -> Option<String> {
        match self.artifact {
            Artifact::Rust(name) => Some(format!("examples/{name}.rs")),
            Artifact::Text(name) => Some(format!("wat/{name}.wat")),
            Artifact::Generated(_) => None,
        }
    }

    /// The limits of its document.
    pub(super) fn limits(&self) -> Value {
        self.limits.clone()
    }

    /// The merchant whose payments are in its scope.
    pub(super) fn merchant(&self) -> String {
        format!("m_{}", self.name.replace('-', "_"))
    }
}
