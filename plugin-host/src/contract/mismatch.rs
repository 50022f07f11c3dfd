//! What sets a component apart from the contract, told in full.

use std::fmt;

use thiserror::Error;

use super::version::{ContractVersion, served};

/// Differences that one error tells; the rest is counted. As many as a person corrects before he builds again.
const MAX_DIFFERENCES: usize = 8;

/// Bytes shown of a name that a stranger chose.
const MAX_SHOWN_BYTES: usize = 120;

/// Why a component is no policy of a contract that is served: all of it, or the first of it where it is much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContractMismatch {
    differences: Vec<Difference>,
    more: usize,
}

/// One thing that sets a component apart from the contract.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Difference {
    /// It asks for something that a policy may not use.
    #[error("imports `{import}`, which a policy may not use: {reason}")]
    ForbiddenImport {
        /// The import.
        import: String,
        /// Why not, or what may be imported.
        reason: &'static str,
    },
    /// It was built for a version of the contract that is not served.
    #[error("was built for `{import}`; this gateway serves {}", served())]
    OtherVersion {
        /// The import that tells.
        import: String,
    },
    /// It was built for several versions of the contract at once.
    #[error("was built for `{}` and `{}` at once, expected one of them", .older.package(), .newer.package())]
    SeveralVersions {
        /// One of them.
        older: ContractVersion,
        /// Another.
        newer: ContractVersion,
    },
    /// It imports an interface that its version of the contract does not have.
    #[error("imports `{import}`, an interface that `{}` does not have", .contract.package())]
    UnknownInterface {
        /// The import.
        import: String,
        /// Its version.
        contract: ContractVersion,
    },
    /// It does not export what a policy exports.
    #[error("does not export the function `{export}` of the world `risk-policy`; it exports {found}")]
    MissingExport {
        /// What is missing.
        export: String,
        /// What is there instead.
        found: String,
    },
    /// It exports something else under the name of a function.
    #[error("exports `{export}` as {found}, expected a function")]
    NotAFunction {
        /// The name.
        export: String,
        /// What it is.
        found: &'static str,
    },
    /// A type is another than the contract's.
    #[error("differs from `{}` at {path}: {message}", .contract.package())]
    Type {
        /// The version that it was held against.
        contract: ContractVersion,
        /// Such as `evaluate.request.payment.amount`.
        path: String,
        /// What was expected and what was found.
        message: String,
    },
    /// A part of WASI that it imports has other types than WASI 0.2.
    #[error("cannot be linked: {detail}")]
    NotLinkable {
        /// What the linker said.
        detail: String,
    },
}

impl ContractMismatch {
    /// The differences, in the order: imports, exports, types.
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// How many more there are.
    #[must_use]
    pub const fn more(&self) -> usize {
        self.more
    }

    /// Whether it imports what no policy may use.
    #[must_use]
    pub fn has_forbidden_import(&self) -> bool {
        self.differences
            .iter()
            .any(|difference| matches!(difference, Difference::ForbiddenImport { .. }))
    }

    /// Notes one more.
    pub(super) fn push(&mut self, difference: Difference) {
        if self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(difference);
        } else {
            self.more += 1;
        }
    }

    /// Notes those of another too.
    pub(super) fn extend(&mut self, other: Self) {
        for difference in other.differences {
            self.push(difference);
        }
        self.more += other.more;
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.differences.len() + self.more
    }

    /// Nothing where there is none.
    pub(super) fn into_result(self) -> Result<(), Self> {
        if self.count() == 0 { Ok(()) } else { Err(self) }
    }
}

impl From<Difference> for ContractMismatch {
    fn from(difference: Difference) -> Self {
        Self {
            differences: vec![difference],
            more: 0,
        }
    }
}

impl fmt::Display for ContractMismatch {
    /// One after the other; the contract that types differ from is named once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut types_begun = false;
        for (index, difference) in self.differences.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            match difference {
                Difference::Type { path, message, .. } if types_begun => write!(f, "{path}: {message}")?,
                _ => write!(f, "{difference}")?,
            }
            types_begun |= matches!(difference, Difference::Type { .. });
        }
        if self.more > 0 {
            write!(f, "; and {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for ContractMismatch {}

/// A name that a stranger chose, not longer than a line.
pub(crate) fn shown(name: &str) -> String {
    let kept = name.floor_char_boundary(MAX_SHOWN_BYTES);
    match name.get(..kept) {
        Some(kept) if kept.len() < name.len() => format!("{kept}…"),
        _ => name.to_owned(),
    }
}
