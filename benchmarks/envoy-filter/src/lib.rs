//! The rule of `plugins/amount-ceiling` as a filter of Envoy: it reads the JSON of a payment, holds the amount against the ceilings that
//! it was configured with, and answers by itself.
//!
//! A filter is one instance for all requests of a worker: what one leaves in its memory is there for the next, and nothing
//! bounds what a request takes of it.

use std::collections::HashMap;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};
use serde::{Deserialize, Serialize};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root::default()) });
}}

/// Ceilings in minor units, by currency or by currency and category: `CNY`, `CNY/7995`.
type Ceilings = HashMap<String, i64>;

#[derive(Clone, Default)]
struct Root {
    ceilings: std::rc::Rc<Ceilings>,
}

impl Context for Root {}

impl RootContext for Root {
    /// Takes the ceilings, a line each: `CNY/7995=100000`.
    fn on_configure(&mut self, _: usize) -> bool {
        let Some(text) = self
            .get_plugin_configuration()
            .and_then(|text| String::from_utf8(text).ok())
        else {
            return false;
        };
        let ceiling = |line: &str| {
            let (of, amount) = line.split_once('=')?;
            Some((of.to_owned(), amount.parse().ok()?))
        };
        let Some(ceilings) = text.split_whitespace().map(ceiling).collect() else {
            return false;
        };
        self.ceilings = std::rc::Rc::new(ceilings);
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(self.clone()))
    }
}

impl HttpContext for Root {
    fn on_http_request_headers(&mut self, _: usize, is_whole: bool) -> Action {
        if is_whole {
            self.send_http_response(400, Vec::new(), Some(b"expected a body"));
        }
        // The whole body first, and then nothing goes on to anybody.
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, is_whole: bool) -> Action {
        if !is_whole {
            return Action::Pause;
        }
        let body = self.get_http_request_body(0, size).unwrap_or_default();
        let headers = vec![("content-type", "application/json")];
        match serde_json::from_slice::<Payment>(&body) {
            Ok(payment) => {
                let answer = decide(&payment, &self.ceilings);
                let answer = serde_json::to_vec(&answer).unwrap_or_default();
                self.send_http_response(200, headers, Some(&answer));
            }
            Err(error) => self.send_http_response(400, headers, Some(error.to_string().as_bytes())),
        }
        Action::Pause
    }
}

/// What the rule looks at, and that the rest is what it says it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read so that a malformed payment is refused")]
struct Payment<'a> {
    payment_id: Option<&'a str>,
    merchant_id: &'a str,
    merchant_category: Option<&'a str>,
    #[serde(borrow)]
    amount: Amount<'a>,
    card: Option<HashMap<&'a str, &'a str>>,
    customer: Option<HashMap<&'a str, &'a str>>,
    device: Option<HashMap<&'a str, &'a str>>,
    metadata: Option<HashMap<&'a str, &'a str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount<'a> {
    minor_units: i64,
    currency: &'a str,
}

#[derive(Serialize)]
struct Decision {
    outcome: &'static str,
    score: u16,
    reasons: Vec<Reason>,
}

#[derive(Serialize)]
struct Reason {
    code: &'static str,
    message: String,
}

/// As `plugins/amount-ceiling` does: the ceiling for the category wins over the one for the currency.
fn decide(payment: &Payment<'_>, ceilings: &Ceilings) -> Decision {
    let amount = &payment.amount;
    let of_category = payment.merchant_category.and_then(|category| {
        let ceiling = ceilings.get(&format!("{}/{category}", amount.currency))?;
        Some((
            *ceiling,
            "amount.ceiling.category",
            format!(" for category {category}"),
        ))
    });
    let of_currency = || {
        let ceiling = ceilings.get(amount.currency)?;
        Some((*ceiling, "amount.ceiling.currency", String::new()))
    };
    match of_category.or_else(of_currency) {
        Some((ceiling, code, which)) if amount.minor_units > ceiling => Decision {
            outcome: "decline",
            score: 900,
            reasons: vec![Reason {
                code,
                message: format!(
                    "{} {} in minor units, the ceiling is {ceiling}{which}",
                    amount.currency, amount.minor_units
                ),
            }],
        },
        _ => Decision {
            outcome: "approve",
            score: 0,
            reasons: Vec::new(),
        },
    }
}
