//! Who may call what: one table, and how a request is held against it.

mod caller;
mod gate;
mod merchant_rates;
mod refusals;

pub(crate) use caller::Caller;
pub(crate) use gate::{Admitted, Gate};

use domain::access::{Role, Scope};

/// What a request has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// Nothing.
    Nothing,
    /// A key with this scope, which its role has as well.
    Scope(Scope),
    /// The same, unless the configuration says that everybody may (`http.metrics_access`).
    ScopeUnlessOpen(Scope),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct AccessRule {
    /// The method; `GET` stands for `HEAD` too.
    pub method: &'static str,
    /// The path as it is documented.
    pub route: &'static str,
    /// What it takes.
    pub required: Required,
}

impl AccessRule {
    /// The roles whose keys can have what it takes; none where it takes nothing.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        let scope = self.scope();
        Role::ALL
            .into_iter()
            .filter(move |role| scope.is_some_and(|scope| role.scopes().contains(scope)))
    }

    /// The scope that it takes, if any.
    #[must_use]
    pub const fn scope(&self) -> Option<Scope> {
        match self.required {
            Required::Nothing => None,
            Required::Scope(scope) | Required::ScopeUnlessOpen(scope) => Some(scope),
        }
    }
}

const fn rule(method: &'static str, route: &'static str, required: Required) -> AccessRule {
    AccessRule {
        method,
        route,
        required,
    }
}

const fn scope(method: &'static str, route: &'static str, scope: Scope) -> AccessRule {
    rule(method, route, Required::Scope(scope))
}

const fn open(route: &'static str) -> AccessRule {
    rule("GET", route, Required::Nothing)
}

/// Every route. One that is not in here is refused to everybody; a test sees to it that there is none.
pub const ACCESS_RULES: &[AccessRule] = &[
    scope("POST", "/v1/payments", Scope::PaymentsWrite),
    scope("GET", "/v1/payments", Scope::PaymentsRead),
    scope("GET", "/v1/payments/{id}", Scope::PaymentsRead),
    scope("POST", "/v1/payments/{id}/capture", Scope::PaymentsWrite),
    scope("POST", "/v1/payments/{id}/void", Scope::PaymentsWrite),
    scope("POST", "/v1/payments/{id}/confirm", Scope::PaymentsWrite),
    scope("POST", "/v1/payments/{id}/refunds", Scope::Refunds),
    scope(
        "POST",
        "/v1/payments/{id}/operations/{operation}/resolve",
        Scope::Operations,
    ),
    scope("GET", "/v1/operations/unresolved", Scope::Operations),
    scope("GET", "/v1/reviews", Scope::Reviews),
    scope("POST", "/v1/reviews/{id}/approve", Scope::Reviews),
    scope("POST", "/v1/reviews/{id}/reject", Scope::Reviews),
    scope("POST", "/v1/lists/{list}/items", Scope::ListsWrite),
    scope("GET", "/v1/lists/{list}/items", Scope::ListsRead),
    scope("DELETE", "/v1/lists/{list}/items", Scope::ListsWrite),
    scope("GET", "/v1/events", Scope::EventsRead),
    scope("POST", "/v1/webhook-endpoints", Scope::Webhooks),
    scope("GET", "/v1/webhook-endpoints", Scope::Webhooks),
    scope("GET", "/v1/webhook-endpoints/{id}", Scope::Webhooks),
    scope("PATCH", "/v1/webhook-endpoints/{id}", Scope::Webhooks),
    scope("DELETE", "/v1/webhook-endpoints/{id}", Scope::Webhooks),
    scope(
        "POST",
        "/v1/webhook-endpoints/{id}/rotate-secret",
        Scope::Webhooks,
    ),
    scope("GET", "/v1/webhook-endpoints/{id}/deliveries", Scope::Webhooks),
    scope("POST", "/v1/webhook-deliveries/{id}/replay", Scope::Webhooks),
    scope("POST", "/v1/risk/decisions", Scope::Decisions),
    scope("GET", "/v1/policies", Scope::PoliciesRead),
    scope("GET", "/v1/policies/{name}", Scope::PoliciesRead),
    scope("GET", "/v1/nodes", Scope::PoliciesRead),
    open("/healthz"),
    open("/readyz"),
    rule("GET", "/metrics", Required::ScopeUnlessOpen(Scope::MetricsRead)),
    open("/openapi.json"),
    open("/docs"),
    open("/docs/errors/{code}"),
];

/// The rule of a route.
pub(crate) fn rule_of(method: &str, route: &str) -> Option<&'static AccessRule> {
    ACCESS_RULES
        .iter()
        .find(|rule| rule.method == method && rule.route == route)
}
