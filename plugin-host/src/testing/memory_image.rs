//! The memory that a guest begins with: answers and descriptors, laid out as the canonical ABI has them.

use domain::feature::{FeatureSpec, PaymentFilter, VelocityMeasure};
use domain::risk::Outcome;

use crate::document::ParameterValue;

/// Where the image begins. What lies below is left to the bodies of guests.
const BASE: usize = 1024;

/// Bytes at the beginning of a guest's memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryImage(Vec<u8>);

impl MemoryImage {
    /// Puts bytes where the next multiple of 8 is, and says where.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let at = self.end();
        self.0.extend_from_slice(bytes);
        at
    }

    /// The first address behind it.
    pub(crate) fn end(&self) -> u32 {
        u32::try_from(BASE + self.0.len()).unwrap()
    }

    /// The data segment that fills it.
    pub(crate) fn segment(&self) -> String {
        let bytes: String = self.0.iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!("(data (i32.const {BASE}) \"{bytes}\")")
    }

    /// A text or a list: where it is, and how many elements it has.
    fn list(&mut self, bytes: &[u8], count: usize) -> [u8; 8] {
        let at = self.put(bytes).to_le_bytes();
        let count = u32::try_from(count).unwrap().to_le_bytes();
        let mut pair = [0; 8];
        pair[..4].copy_from_slice(&at);
        pair[4..].copy_from_slice(&count);
        pair
    }

    fn text(&mut self, text: &[u8]) -> [u8; 8] {
        self.list(text, text.len())
    }
}

/// What `evaluate` answers, right or wrong.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: u8,
    pub(crate) score: u16,
    pub(crate) reasons: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Answer {
    /// An outcome with a score, and no reason.
    pub(crate) fn of(outcome: Outcome, score: u16) -> Self {
        Self {
            outcome: outcome as u8,
            score,
            reasons: Vec::new(),
        }
    }

    /// The same, with one more reason.
    pub(crate) fn because(mut self, code: impl AsRef<[u8]>, message: impl AsRef<[u8]>) -> Self {
        self.reasons
            .push((code.as_ref().to_owned(), message.as_ref().to_owned()));
        self
    }

    /// Lays out the answer, and says where it is.
    pub(crate) fn put(&self, image: &mut MemoryImage) -> u32 {
        let mut reasons = Vec::new();
        for (code, message) in &self.reasons {
            reasons.extend(image.text(code));
            reasons.extend(image.text(message));
        }
        let reasons = image.list(&reasons, self.reasons.len());
        let score = self.score.to_le_bytes();
        let mut answer = vec![0, 0, 0, 0, self.outcome, 0, score[0], score[1]];
        answer.extend(reasons);
        image.put(&answer)
    }

    /// Lays out the answer of a policy that refuses, and says where it is.
    pub(crate) fn put_refusal(text: &[u8], image: &mut MemoryImage) -> u32 {
        let mut answer = vec![1, 0, 0, 0];
        answer.extend(image.text(text));
        // As long as the longest of the answer's cases.
        answer.resize(16, 0);
        image.put(&answer)
    }
}

/// What `describe` answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    pub(crate) summary: String,
    /// The bits of the contract's `payment-parts`.
    pub(crate) reads: u8,
    pub(crate) features: Vec<(String, FeatureSpec)>,
    pub(crate) parameters: Vec<(String, ParameterValue)>,
}

impl Description {
    pub(crate) const CARD: u8 = 1;
    pub(crate) const CUSTOMER: u8 = 2;
    pub(crate) const DEVICE: u8 = 4;
    pub(crate) const METADATA: u8 = 8;

    /// A policy that reads nothing and asks for nothing.
    pub(crate) fn of(summary: &str) -> Self {
        Self {
            summary: summary.to_owned(),
            ..Self::default()
        }
    }

    /// The same, and it reads these parts of a payment.
    pub(crate) fn reading(mut self, parts: u8) -> Self {
        self.reads |= parts;
        self
    }

    /// The same, with one more feature.
    pub(crate) fn feature(mut self, name: &str, spec: &FeatureSpec) -> Self {
        self.features.push((name.to_owned(), spec.clone()));
        self
    }

    /// The same, with one more parameter.
    pub(crate) fn parameter(mut self, name: &str, default: ParameterValue) -> Self {
        self.parameters.push((name.to_owned(), default));
        self
    }

    /// Lays out the descriptor, and says where it is.
    pub(crate) fn put(&self, image: &mut MemoryImage) -> u32 {
        let mut features = Vec::new();
        for (name, spec) in &self.features {
            features.extend(image.text(name.as_bytes()));
            features.extend(feature_spec(spec, image));
        }
        let mut parameters = Vec::new();
        for (name, value) in &self.parameters {
            parameters.extend(image.text(name.as_bytes()));
            parameters.extend(parameter_value(value, image));
        }
        let mut descriptor = image.text(self.summary.as_bytes()).to_vec();
        descriptor.extend([self.reads, 0, 0, 0]);
        descriptor.extend(image.list(&features, self.features.len()));
        descriptor.extend(image.list(&parameters, self.parameters.len()));
        image.put(&descriptor)
    }
}

/// `feature-spec`: a discriminant, and up to 12 bytes behind it.
fn feature_spec(spec: &FeatureSpec, image: &mut MemoryImage) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16);
    match spec {
        FeatureSpec::Velocity {
            subject,
            measure,
            filter,
            window_seconds,
        } => {
            let (measure, other) = match measure {
                VelocityMeasure::Count => (0, 0),
                VelocityMeasure::Amount => (1, 0),
                VelocityMeasure::Distinct(other) => (2, *other as u8),
            };
            let filter = match filter {
                PaymentFilter::Attempted => 0,
                PaymentFilter::Approved => 1,
                PaymentFilter::Declined => 2,
            };
            bytes.extend([0, 0, 0, 0, *subject as u8, measure, other, filter]);
            bytes.extend(window_seconds.to_le_bytes());
        }
        FeatureSpec::Listed { list, subject } => {
            bytes.extend([1, 0, 0, 0]);
            bytes.extend(image.text(list.as_bytes()));
            bytes.push(*subject as u8);
        }
    }
    bytes.resize(16, 0);
    bytes
}

/// `parameter-value`: a discriminant, and 8 bytes where the next multiple of 8 is.
fn parameter_value(value: &ParameterValue, image: &mut MemoryImage) -> Vec<u8> {
    let (discriminant, payload) = match value {
        ParameterValue::Integer(value) => (0, value.to_le_bytes()),
        ParameterValue::Text(text) => (1, image.text(text.as_bytes())),
        ParameterValue::Flag(flag) => (2, u64::from(*flag).to_le_bytes()),
        ParameterValue::Texts(texts) => {
            let pairs: Vec<u8> = texts
                .iter()
                .flat_map(|text| image.text(text.as_bytes()))
                .collect();
            (3, image.list(&pairs, texts.len()))
        }
    };
    let mut bytes = vec![discriminant, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(payload);
    bytes
}
