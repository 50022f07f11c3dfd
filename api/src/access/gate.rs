//! Whether a request is let in: its key, what the key is good for, and how much its merchant may send.

use application::use_cases::{Authenticate, AuthenticateError};
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use domain::access::Role;

use super::merchant_rates::{Allowance, MerchantRates};
use super::refusals::RefusalLog;
use super::{AccessRule, Caller, Required};
use crate::config::{Authentication, Config, MetricsAccess};
use crate::metrics::HttpMetrics;
use crate::problem::{Problem, ProblemCode};

/// As of draft-ietf-httpapi-ratelimit-headers.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Lets requests in, or not.
pub(crate) struct Gate {
    authentication: Authentication,
    metrics: MetricsAccess,
    authenticate: Authenticate,
    rates: Option<MerchantRates>,
    log: RefusalLog,
    counts: HttpMetrics,
}

/// What is known of a request that was looked at.
#[derive(Default)]
pub(crate) struct Admitted {
    caller: Option<Caller>,
    allowance: Option<Allowance>,
}

impl Admitted {
    /// The key's name in the log.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.caller.as_ref().and_then(Caller::key_id)
    }

    /// Tells a merchant with a limit what is left of it.
    pub(crate) fn mark(&self, headers: &mut HeaderMap) {
        let Some(allowance) = &self.allowance else {
            return;
        };
        let Allowance {
            burst,
            window_seconds,
            remaining,
            reset_seconds,
            ..
        } = allowance;
        for (name, text) in [
            (
                RATE_LIMIT_POLICY,
                format!("\"merchant\";q={burst};w={window_seconds}"),
            ),
            (
                RATE_LIMIT,
                format!("\"merchant\";r={remaining};t={reset_seconds}"),
            ),
        ] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

impl Gate {
    pub(crate) fn new(config: &Config, authenticate: Authenticate, counts: HttpMetrics) -> Self {
        Self {
            authentication: config.authentication,
            metrics: config.metrics_access,
            authenticate,
            rates: MerchantRates::new(config.merchant_requests_per_second, config.merchant_burst),
            log: RefusalLog::new(),
            counts,
        }
    }

    /// Holds a request against the rule of its route, and puts its caller beside it.
    pub(crate) fn admit(
        &self,
        rule: Option<&AccessRule>,
        request: &mut Request,
        admitted: &mut Admitted,
    ) -> Result<(), Problem> {
        let Some(rule) = rule else {
            return Err(Problem::internal("the route is not in the table of who may what"));
        };
        let scope = match rule.required {
            Required::Nothing => return Ok(()),
            Required::ScopeUnlessOpen(_) if self.metrics == MetricsAccess::Open => return Ok(()),
            Required::Scope(scope) | Required::ScopeUnlessOpen(scope) => scope,
        };
        let caller = match self.authentication {
            Authentication::None => Caller::Anyone,
            Authentication::Keys => self.identify(rule, request.headers())?,
        };
        request.extensions_mut().insert(caller.clone());
        let caller = admitted.caller.insert(caller);
        let Caller::Key(known) = &*caller else {
            return Ok(());
        };
        if !known.grant.allows(scope) {
            self.refuse("forbidden", rule);
            let roles: Vec<&str> = rule.roles().map(Role::as_str).collect();
            return Err(Problem::new(
                ProblemCode::Forbidden,
                format!(
                    "The API key does not have the scope `{scope}`, which keys of these roles can have: `{}`. Nothing was done.",
                    roles.join("`, `")
                ),
            ));
        }
        if let (Some(rates), Some(merchant)) = (&self.rates, known.grant.merchant()) {
            let allowance = rates.take(merchant);
            admitted.allowance = Some(allowance);
            if !allowance.is_within {
                self.counts.access_refused("rate_limited");
                return Err(Problem::new(
                    ProblemCode::RateLimited,
                    "The merchant has sent more requests than he may for now. Nothing was done; send it again later.",
                ));
            }
        }
        Ok(())
    }

    fn identify(&self, rule: &AccessRule, headers: &HeaderMap) -> Result<Caller, Problem> {
        let sent = match bearer(headers) {
            Ok(sent) => sent,
            Err(problem) => {
                self.refuse("missing", rule);
                return Err(problem);
            }
        };
        let error = match self.authenticate.execute(sent) {
            Ok(caller) => return Ok(Caller::Key(caller)),
            Err(error) => error,
        };
        let (reason, problem) = match error {
            AuthenticateError::NotAKey(why) => (
                "not_a_key",
                Problem::new(
                    ProblemCode::Unauthenticated,
                    format!("What is sent behind `Authorization: Bearer` is no API key: {why}."),
                ),
            ),
            AuthenticateError::Unknown => (
                "unknown",
                Problem::new(
                    ProblemCode::Unauthenticated,
                    "The API key is not known, was revoked or has expired.",
                ),
            ),
            AuthenticateError::OutOfDate => (
                "out_of_date",
                Problem::new(
                    ProblemCode::StorageUnavailable,
                    "API keys cannot be checked now. Nothing was done; send it again later.",
                )
                .for_operator(error.to_string()),
            ),
        };
        self.refuse(reason, rule);
        Err(problem)
    }

    fn refuse(&self, reason: &'static str, rule: &AccessRule) {
        self.counts.access_refused(reason);
        self.log.tell(reason, rule.route);
    }
}

/// What stands behind `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = |detail: &'static str| Problem::new(ProblemCode::Unauthenticated, detail);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values
        .next()
        .ok_or_else(|| missing("Expected an API key, as `Authorization: Bearer pck_…`; found none."))?;
    if values.next().is_some() {
        return Err(missing("`Authorization` is there more than once."));
    }
    let other =
        "Expected an API key, as `Authorization: Bearer pck_…`; found another kind of `Authorization`.";
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(|| missing(other))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing(other));
    }
    Ok(token.trim_matches(' '))
}
