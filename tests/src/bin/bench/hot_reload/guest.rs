//! The policies that are released: small ones and large ones, so that compiling takes a few milliseconds or seconds.

use portcullis_tests::languages::{self, compiled, packed};
use portcullis_tests::raw::{digest, document};
use portcullis_tests::{Policy, guests};
use serde_json::{Value, json};

const KIB: usize = 1024;

/// The generated policies: what the report calls them, bytes of their code, and releases that are measured.
const GENERATED: [(&str, usize, usize); 3] = [
    ("15 KB", 15 * KIB, 30),
    ("60 KB", 60 * KIB, 20),
    ("1 MB", 1024 * KIB, 6),
];

/// The one whose times have a bar.
pub(super) const OF_THE_BAR: &str = "60 KB";

/// A policy of which artifacts are made that differ by a byte and decide alike.
pub(super) struct Guest {
    /// What the report calls it.
    pub(super) name: &'static str,
    component: Vec<u8>,
    /// What its document says beside what every document says.
    fields: Value,
    /// Releases that are measured of each kind.
    pub(super) releases: usize,
}

impl Guest {
    /// A sample policy, as it is.
    pub(super) fn small() -> Self {
        Self {
            name: "amount-ceiling",
            component: std::fs::read(Policy::built("amount-ceiling").wasm()).expect("a component"),
            fields: json!({"parameters": {"ceilings": ["CNY=2000000"]}}),
            releases: 40,
        }
    }

    /// The one whose times have a bar.
    pub(super) fn of_the_bar() -> Self {
        let guests = Self::generated();
        let mut of_the_bar = guests.into_iter().filter(|guest| guest.name == OF_THE_BAR);
        of_the_bar.next().expect("the policy of the bar")
    }

    /// Policies of generated code.
    pub(super) fn generated() -> Vec<Self> {
        let of = |(name, bytes, releases)| Self {
            name,
            component: guests::generated::code(bytes),
            fields: json!({}),
            releases,
        };
        GENERATED.map(of).into()
    }

    /// A rule in JavaScript with its interpreter, where its toolchain is there.
    pub(super) fn in_javascript() -> Option<Self> {
        languages::are_here().then(|| {
            let (policy, _) = packed("javascript", &compiled("javascript"), None);
            Self {
                name: "JavaScript",
                component: std::fs::read(policy.wasm()).expect("a component"),
                fields: json!({
                    "parameters": {"max_count": 1_000_000, "max_amount": 1_000_000_000_000_i64},
                    "grants": ["device", "metadata"],
                    "limits": {"fuel": 20_000_000, "deadline_ms": 100, "memory_bytes": 33_554_432},
                }),
                // Each compiles for half a minute.
                releases: 1,
            }
        })
    }

    /// The same with fewer releases.
    pub(super) fn quickly(self) -> Self {
        Self {
            releases: self.releases.min(3),
            ..self
        }
    }

    /// Bytes of its component.
    pub(super) fn bytes(&self) -> usize {
        self.component.len()
    }

    /// An artifact of its own for each number.
    pub(super) fn artifact(&self, number: u32) -> Artifact {
        let policy = Policy::of(&self.component, "").padded(number + 1);
        Artifact {
            digest: digest(&policy),
            contract: guests::contract_of(&self.component),
            fields: self.fields.clone(),
            policy,
        }
    }
}

/// One of its artifacts.
pub(super) struct Artifact {
    pub(super) policy: Policy,
    pub(super) digest: String,
    contract: String,
    fields: Value,
}

impl Artifact {
    /// The document that releases it.
    pub(super) fn document(&self, name: &str, sequence: u64) -> Value {
        let mut document = document(name, sequence, &self.policy);
        document["contract"] = json!(self.contract);
        let more = self.fields.as_object().into_iter().flatten();
        let fields = document.as_object_mut().expect("an object");
        fields.extend(more.map(|(name, value)| (name.clone(), value.clone())));
        document
    }
}
