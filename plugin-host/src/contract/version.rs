//! The versions of the contract that this gateway serves.

/// A version of the contract. The order is that of their age, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContractVersion {
    /// The first one.
    V0_1,
    /// Amounts say how many decimal digits their minor unit has.
    V0_2,
}

impl ContractVersion {
    /// Every version that is served, the oldest first.
    pub const ALL: [Self; 2] = [Self::V0_1, Self::V0_2];

    /// The one that new policies are written for.
    pub const LATEST: Self = Self::V0_2;

    /// The package, as documents and golden cases name it.
    #[must_use]
    pub const fn package(self) -> &'static str {
        match self {
            Self::V0_1 => "portcullis:policy@0.1.0",
            Self::V0_2 => "portcullis:policy@0.2.0",
        }
    }

    /// The contract itself.
    #[must_use]
    pub const fn wit(self) -> &'static str {
        match self {
            Self::V0_1 => include_str!("../../../wit/v0.1/risk-policy.wit"),
            Self::V0_2 => include_str!("../../../wit/v0.2/risk-policy.wit"),
        }
    }

    /// The version of a package such as `portcullis:policy@0.1.0`; none where it is not served.
    #[must_use]
    pub fn of_package(package: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.package() == package)
    }

    /// The package's number, such as `0.1.0`.
    #[must_use]
    pub fn number(self) -> &'static str {
        self.package().split_once('@').map_or("", |(_, number)| number)
    }
}

/// The packages that are served, for people.
pub(crate) fn served() -> String {
    ContractVersion::ALL
        .map(|version| format!("`{}`", version.package()))
        .join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn a_version_that_was_published_is_what_it_was() {
        let published = [(
            ContractVersion::V0_1,
            "sha256:f5f963cd77d0b13148fbdce18e3034aa1a61506b62fd8009df66ed94c00fcfb3",
        )];
        for (version, digest) in published {
            assert_eq!(
                Digest::of(version.wit().as_bytes()).to_string(),
                digest,
                "a version of the contract that was published never changes, not even by a comment: whoever built a policy \
                 for it has a copy; what is new belongs into a version of its own"
            );
        }
    }

    #[test]
    fn every_version_is_found_by_its_package_which_its_contract_names() {
        for version in ContractVersion::ALL {
            assert_eq!(ContractVersion::of_package(version.package()), Some(version));
            let named = format!("package {};", version.package());
            assert!(version.wit().contains(&named), "{named}");
        }
        assert_eq!(ContractVersion::ALL.last(), Some(&ContractVersion::LATEST));
        assert!(ContractVersion::ALL.is_sorted());
        assert_eq!(ContractVersion::of_package("portcullis:policy@0.3.0"), None);
        assert_eq!(ContractVersion::V0_1.number(), "0.1.0");
        assert_eq!(
            served(),
            "`portcullis:policy@0.1.0` and `portcullis:policy@0.2.0`"
        );
    }
}
