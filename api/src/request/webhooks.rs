//! The bodies of what is done with webhook endpoints.

use application::ports::EventFilter;
use application::use_cases::{CreateWebhookEndpointCommand, UpdateWebhookEndpointCommand, WebhookEndpointOf};
use domain::MerchantId;
use domain::payment::PaymentEventKind;

use super::field_errors::FieldErrors;
use super::follow_up::{one_of, parse};
use super::json::Json;
use super::scope::{Field, identifier, text};
use crate::problem::{Problem, ProblemCode};

/// Reads the body of `POST /v1/webhook-endpoints`. No event types stand for all of them.
pub(crate) fn parse_new_endpoint(body: &[u8]) -> Result<CreateWebhookEndpointCommand, Problem> {
    parse(body, &["merchant_id", "url", "event_types"], |scope, errors| {
        let merchant_id = scope.required("merchant_id", "a string", errors, |field, errors| {
            identifier(field, errors, MerchantId::parse)
        });
        let url = scope.required(
            "url",
            "a string such as `https://shop.example/webhooks`",
            errors,
            owned,
        );
        let events = scope.optional("event_types", errors, event_types);
        Some(CreateWebhookEndpointCommand {
            merchant_id: merchant_id?,
            url: url?,
            events: events.unwrap_or(EventFilter::All),
        })
    })
}

/// Reads the body of `PATCH /v1/webhook-endpoints/{id}`: what is not there stays as it is.
pub(crate) fn parse_update(
    body: &[u8],
    endpoint: WebhookEndpointOf,
) -> Result<UpdateWebhookEndpointCommand, Problem> {
    parse(body, &["url", "event_types", "status"], |scope, errors| {
        let url = scope.optional("url", errors, owned);
        let events = scope.optional("event_types", errors, event_types);
        let status = scope.optional("status", errors, |field, errors| {
            one_of(field, errors, &["enabled", "disabled"])
        });
        Some(UpdateWebhookEndpointCommand {
            endpoint,
            url,
            events,
            enabled: status.map(|status| status == "enabled"),
        })
    })
}

/// Reads the body of `POST /v1/webhook-endpoints/{id}/rotate-secret`: whether the secret before goes on signing for a while.
pub(crate) fn parse_rotation(body: &[u8]) -> Result<bool, Problem> {
    parse(body, &["previous_secret"], |scope, errors| {
        let previous = scope.optional("previous_secret", errors, |field, errors| {
            one_of(field, errors, &["keep", "revoke"])
        });
        Some(previous != Some("revoke"))
    })
}

fn owned(field: &Field<'_>, errors: &mut FieldErrors) -> Option<String> {
    text(field, errors).map(str::to_owned)
}

/// `["*"]`, or kinds of events.
fn event_types(field: &Field<'_>, errors: &mut FieldErrors) -> Option<EventFilter> {
    let array = match field.value {
        Json::Array(array) => array,
        other => {
            errors.wrong_type(&field.path, "an array of event types, or [\"*\"]", other.kind());
            return None;
        }
    };
    if array.total == 0 || array.total > array.items.len() {
        let expected = "expected one event type or several, or [\"*\"], found none or very many";
        errors.add(ProblemCode::InvalidText, &field.path, expected);
        return None;
    }
    let names: Vec<&str> = PaymentEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let mut kinds = Vec::new();
    let mut all = false;
    for (position, value) in array.items.iter().enumerate() {
        let item = Field {
            value,
            path: field.path.entry("", position),
        };
        match text(&item, errors)? {
            "*" => all = true,
            name => {
                let Some(kind) = PaymentEventKind::parse(name) else {
                    let names = names.join("`, `");
                    let expected = format_args!("expected `*` or one of `{names}`, found another text");
                    errors.add(ProblemCode::InvalidText, &item.path, expected);
                    return None;
                };
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
    }
    Some(if all {
        EventFilter::All
    } else {
        EventFilter::Only(kinds)
    })
}
