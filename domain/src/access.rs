//! Who may do what: roles, scopes, and what a key grants.

mod key;
mod role;
mod scope;

pub use key::{ApiKey, ApiKeyName, PreviousSecret, SecretDigest};
pub use role::Role;
pub use scope::{Scope, ScopeSet};

use std::fmt;

use crate::identifier::MerchantId;

/// What the holder of a key may do. Cannot be wrong once it exists: a merchant's key has its merchant and no other key has one,
/// and no key has a scope that its role does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    role: Role,
    merchant: Option<MerchantId>,
    scopes: ScopeSet,
}

/// Why a grant cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantError {
    /// The role is `merchant`, and there is none.
    MerchantMissing,
    /// There is a merchant, and the role is another.
    MerchantNeedless,
    /// The role never has this scope.
    ScopeBeyondRole {
        /// The role.
        role: Role,
        /// The scope.
        scope: Scope,
    },
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MerchantMissing => {
                f.write_str("a key of role `merchant` needs the merchant that it belongs to")
            }
            Self::MerchantNeedless => f.write_str("only a key of role `merchant` belongs to a merchant"),
            Self::ScopeBeyondRole { role, scope } => write!(
                f,
                "a key of role `{role}` cannot have the scope `{scope}`; it can have {}",
                role.scopes()
            ),
        }
    }
}

impl std::error::Error for GrantError {}

impl Grant {
    /// A grant. Without any scope it has all of its role's.
    ///
    /// # Errors
    /// When merchant or scopes do not go with the role.
    pub fn new(role: Role, merchant: Option<MerchantId>, scopes: ScopeSet) -> Result<Self, GrantError> {
        match (role, &merchant) {
            (Role::Merchant, None) => return Err(GrantError::MerchantMissing),
            (Role::Merchant, Some(_)) | (_, None) => {}
            (_, Some(_)) => return Err(GrantError::MerchantNeedless),
        }
        if let Some(scope) = scopes.iter().find(|scope| !role.scopes().contains(*scope)) {
            return Err(GrantError::ScopeBeyondRole { role, scope });
        }
        Ok(Self {
            role,
            merchant,
            scopes,
        })
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whose payments it is bound to; none for those who see all.
    #[must_use]
    pub const fn merchant(&self) -> Option<&MerchantId> {
        self.merchant.as_ref()
    }

    /// The scopes that were named; empty where it has all of its role's.
    #[must_use]
    pub const fn scopes(&self) -> ScopeSet {
        self.scopes
    }

    /// Whether it covers this scope.
    #[must_use]
    pub const fn allows(&self, scope: Scope) -> bool {
        let scopes = if self.scopes.is_empty() {
            self.role.scopes()
        } else {
            self.scopes
        };
        scopes.contains(scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Option<MerchantId> {
        MerchantId::parse("shop-1").ok()
    }

    fn set(scopes: &[Scope]) -> ScopeSet {
        scopes.iter().copied().collect()
    }

    #[test]
    fn a_merchants_key_has_its_merchant_and_no_other_has_one() {
        let all = ScopeSet::default();
        assert_eq!(
            Grant::new(Role::Merchant, None, all),
            Err(GrantError::MerchantMissing)
        );
        assert!(Grant::new(Role::Merchant, shop(), all).is_ok());
        for role in [Role::Operator, Role::Analyst, Role::Auditor] {
            assert_eq!(Grant::new(role, shop(), all), Err(GrantError::MerchantNeedless));
            assert!(Grant::new(role, None, all).is_ok());
        }
    }

    #[test]
    fn scopes_narrow_a_role_and_never_widen_it() {
        let whole = Grant::new(Role::Merchant, shop(), ScopeSet::default()).unwrap();
        assert!(whole.allows(Scope::Refunds) && !whole.allows(Scope::Reviews));
        let narrow = Grant::new(Role::Merchant, shop(), set(&[Scope::PaymentsRead])).unwrap();
        assert!(narrow.allows(Scope::PaymentsRead) && !narrow.allows(Scope::Refunds));
        let wide = Grant::new(Role::Merchant, shop(), set(&[Scope::Reviews]));
        let error = wide.unwrap_err();
        assert!(matches!(
            error,
            GrantError::ScopeBeyondRole {
                scope: Scope::Reviews,
                ..
            }
        ));
        assert!(error.to_string().contains("`refunds`"), "{error}");
    }

    #[test]
    fn names_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            assert!(
                Role::ALL.iter().any(|role| role.scopes().contains(scope)),
                "{scope}"
            );
        }
        assert_eq!(Role::parse("root"), None);
        assert_eq!(Scope::parse("*"), None);
    }
}
