//! Why a policy gave no answer.

use std::fmt;

/// Every way in which an evaluation can end without a verdict. Closed: the failure mode is looked up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The guest ran into a WebAssembly trap, such as `unreachable` (a panic) or a division by zero.
    Trap,
    /// The guest used up its fuel.
    OutOfFuel,
    /// The guest did not end in time.
    Deadline,
    /// The guest asked for more memory or table entries than it may have, and gave up.
    OutOfMemory,
    /// The guest recursed too deep.
    StackOverflow,
    /// The guest answered something the contract does not allow, such as a score of 1001.
    InvalidOutput,
    /// The policy answered with an error of its own.
    Refused,
    /// The guest called the host too often, or passed it too much.
    HostCallLimit,
    /// The gateway had no room to run the policy.
    Unavailable,
    /// The policy was not run: it had faulted too often of late.
    Quarantined,
}

impl FaultKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 10] = [
        Self::Trap,
        Self::OutOfFuel,
        Self::Deadline,
        Self::OutOfMemory,
        Self::StackOverflow,
        Self::InvalidOutput,
        Self::Refused,
        Self::HostCallLimit,
        Self::Unavailable,
        Self::Quarantined,
    ];

    /// The stable name, such as `out_of_fuel`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::OutOfFuel => "out_of_fuel",
            Self::Deadline => "deadline",
            Self::OutOfMemory => "out_of_memory",
            Self::StackOverflow => "stack_overflow",
            Self::InvalidOutput => "invalid_output",
            Self::Refused => "refused",
            Self::HostCallLimit => "host_call_limit",
            Self::Unavailable => "unavailable",
            Self::Quarantined => "quarantined",
        }
    }

    /// The kind of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A fault of one evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// What the policy's author needs to mend it: the trap with its backtrace, the limit that was hit.
    pub detail: Box<str>,
}
