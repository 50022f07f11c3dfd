//! Every operation of the interface: what it takes, what it answers, and what can go wrong.

use crate::access::{AccessRule, Required};
use crate::problem::ProblemCode;

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    /// The stable name that client generators use.
    pub(crate) id: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    /// Names under `components/parameters`.
    pub(crate) parameters: &'static [&'static str],
    pub(crate) body: Option<Body>,
    pub(crate) answers: &'static [Answer],
    /// Beside those that follow from the rest.
    own_problems: &'static [ProblemCode],
}

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) schema: &'static str,
    pub(crate) is_required: bool,
}

/// One way to be served.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Empty where there is no body.
    pub(crate) media_type: &'static str,
    /// A name under `components/schemas`; empty for text.
    pub(crate) schema: &'static str,
    pub(crate) description: &'static str,
    /// Names under `components/headers`.
    pub(crate) headers: &'static [&'static str],
}

impl Operation {
    /// Every code that it can be answered with.
    pub(crate) fn problems(&self, rule: &AccessRule) -> Vec<ProblemCode> {
        let mut codes = vec![ProblemCode::UriTooLong, ProblemCode::Internal];
        codes.extend(self.own_problems);
        if rule.required != Required::Nothing {
            codes.extend([
                ProblemCode::Unauthenticated,
                ProblemCode::Forbidden,
                ProblemCode::RateLimited,
                ProblemCode::StorageUnavailable,
            ]);
        }
        // What is worked on has its place among the requests in flight, and its time.
        if matches!(rule.required, Required::Scope(_)) {
            codes.extend([ProblemCode::TooManyRequests, ProblemCode::TimedOut]);
        }
        if self.parameters.contains(&"payment_id") {
            codes.push(ProblemCode::PaymentNotFound);
        }
        if self.parameters.contains(&"webhook_endpoint_id") {
            codes.push(ProblemCode::WebhookEndpointNotFound);
        }
        if self.parameters.contains(&"limit") {
            codes.push(ProblemCode::InvalidQuery);
        }
        if self.parameters.contains(&"idempotency_key") {
            codes.extend([
                ProblemCode::InvalidIdempotencyKey,
                ProblemCode::IdempotencyKeyInUse,
                ProblemCode::IdempotencyKeyReused,
                ProblemCode::OperationInFlight,
                ProblemCode::PaymentOutcomeUnknown,
            ]);
        }
        if let Some(body) = &self.body {
            codes.extend([
                ProblemCode::BodyTooLarge,
                ProblemCode::BodyIncomplete,
                ProblemCode::UnsupportedMediaType,
            ]);
            codes.extend(BODY);
            codes.extend(match body.schema {
                "NewPayment" => [MONEY, DETAILS, CARD].concat(),
                "NewDecision" => [MONEY, DETAILS, &[ProblemCode::InvalidCardNumber]].concat(),
                "Remainder" => MONEY.to_vec(),
                "NewWebhookEndpoint" | "WebhookEndpointChange" => vec![ProblemCode::InvalidWebhookUrl],
                "NewListItem" => LIST_ITEM.to_vec(),
                _ => Vec::new(),
            });
        }
        codes
    }
}

/// Of any body.
const BODY: &[ProblemCode] = &[
    ProblemCode::InvalidBody,
    ProblemCode::MalformedJson,
    ProblemCode::UnknownField,
    ProblemCode::MissingField,
    ProblemCode::DuplicateField,
    ProblemCode::WrongType,
    ProblemCode::ConflictingFields,
    ProblemCode::InvalidText,
    ProblemCode::CardNumberMisplaced,
];

const MONEY: &[ProblemCode] = &[
    ProblemCode::UnknownCurrency,
    ProblemCode::CurrencyNotPayable,
    ProblemCode::MalformedAmount,
    ProblemCode::AmountNotPositive,
    ProblemCode::AmountTooPrecise,
    ProblemCode::AmountTooLarge,
];

const DETAILS: &[ProblemCode] = &[
    ProblemCode::InvalidCountry,
    ProblemCode::InvalidIdentifier,
    ProblemCode::InvalidIpAddress,
    ProblemCode::InvalidMerchantCategory,
    ProblemCode::TooManyMetadataEntries,
];

const CARD: &[ProblemCode] = &[
    ProblemCode::InvalidCardNumber,
    ProblemCode::InvalidCardExpiry,
    ProblemCode::CardExpired,
];

const LIST_ITEM: &[ProblemCode] = &[
    ProblemCode::InvalidFingerprint,
    ProblemCode::InvalidIpAddress,
    ProblemCode::InvalidExpiresAt,
];

/// Of what is done with a payment that is there.
const CHANGE: &[ProblemCode] = &[
    ProblemCode::PaymentStateConflict,
    ProblemCode::AmountExceedsRemainder,
    ProblemCode::CurrencyMismatch,
];

const JSON: &str = "application/json";
const REPLAYABLE: &[&str] = &["Location", "Idempotency-Replayed"];

const fn ok(schema: &'static str, description: &'static str) -> Answer {
    answer(200, schema, description, &[])
}

const fn answer(
    status: u16,
    schema: &'static str,
    description: &'static str,
    headers: &'static [&'static str],
) -> Answer {
    Answer {
        status,
        media_type: JSON,
        schema,
        description,
        headers,
    }
}

const UNKNOWN: Answer = answer(
    202,
    "Payment",
    "The acquirer's answer did not come: it is not known whether money moved, and the gateway keeps asking",
    REPLAYABLE,
);

const DONE: Answer = answer(
    200,
    "Payment",
    "The payment and the operation, whether or not the acquirer did it",
    REPLAYABLE,
);

const fn read(
    route: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    parameters: &'static [&'static str],
    answers: &'static [Answer],
) -> Operation {
    Operation {
        method: "GET",
        route,
        id,
        tag,
        summary,
        parameters,
        body: None,
        answers,
        own_problems: &[],
    }
}

const fn act(
    route: &'static str,
    id: &'static str,
    summary: &'static str,
    body: Body,
    answers: &'static [Answer],
) -> Operation {
    Operation {
        method: "POST",
        route,
        id,
        tag: "payments",
        summary,
        parameters: &["payment_id", "idempotency_key"],
        body: Some(body),
        answers,
        own_problems: CHANGE,
    }
}

const fn optional(schema: &'static str) -> Body {
    Body {
        schema,
        is_required: false,
    }
}

const fn required(schema: &'static str) -> Body {
    Body {
        schema,
        is_required: true,
    }
}

/// Without a body.
const fn nothing(description: &'static str) -> Answer {
    Answer {
        status: 204,
        media_type: "",
        schema: "",
        description,
        headers: &[],
    }
}

const fn text(media_type: &'static str, description: &'static str) -> Answer {
    Answer {
        status: 200,
        media_type,
        schema: "",
        description,
        headers: &[],
    }
}

const PAYMENT_FILTERS: &[&str] = &[
    "merchant_id",
    "status",
    "created_from",
    "created_before",
    "cursor",
    "limit",
];

/// All of them.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        method: "POST",
        route: "/v1/payments",
        id: "createPayment",
        tag: "payments",
        summary: "Decide about a payment and, where approved, authorize it",
        parameters: &["idempotency_key"],
        body: Some(required("NewPayment")),
        answers: &[
            answer(201, "Payment", "The payment, declined or not", REPLAYABLE),
            UNKNOWN,
        ],
        own_problems: &[ProblemCode::RiskUnavailable],
    },
    read(
        "/v1/payments",
        "listPayments",
        "payments",
        "List payments, the newest first",
        PAYMENT_FILTERS,
        &[ok("PaymentPage", "A page of payments")],
    ),
    read(
        "/v1/payments/{id}",
        "getPayment",
        "payments",
        "Read a payment",
        &["payment_id"],
        &[ok("Payment", "The payment")],
    ),
    act(
        "/v1/payments/{id}/capture",
        "capturePayment",
        "Collect an authorized amount, or a part of it",
        optional("Remainder"),
        &[DONE, UNKNOWN],
    ),
    act(
        "/v1/payments/{id}/void",
        "voidPayment",
        "Let go of a payment of which nothing was captured",
        optional("Nothing"),
        &[DONE, UNKNOWN],
    ),
    act(
        "/v1/payments/{id}/refunds",
        "refundPayment",
        "Give a captured amount back, or a part of it",
        optional("Remainder"),
        &[
            answer(
                201,
                "Payment",
                "The payment and the refund, whether or not the acquirer did it",
                REPLAYABLE,
            ),
            UNKNOWN,
        ],
    ),
    act(
        "/v1/payments/{id}/confirm",
        "confirmPayment",
        "Tell how the payer proved who he is",
        required("Confirmation"),
        &[DONE, UNKNOWN],
    ),
    Operation {
        method: "POST",
        route: "/v1/payments/{id}/operations/{operation}/resolve",
        id: "resolveOperation",
        tag: "operations",
        summary: "Tell how an operation ended that the acquirer never answered",
        parameters: &["payment_id", "operation"],
        body: Some(required("Resolution")),
        answers: &[ok("Payment", "The payment with the operation as it is now")],
        own_problems: &[
            ProblemCode::OperationNotFound,
            ProblemCode::PaymentStateConflict,
            ProblemCode::OperationInFlight,
        ],
    },
    read(
        "/v1/operations/unresolved",
        "listUnresolvedOperations",
        "operations",
        "List payments with an operation that is left to humans",
        &["cursor", "limit"],
        &[ok("PaymentPage", "A page of payments, by name")],
    ),
    read(
        "/v1/reviews",
        "listReviews",
        "reviews",
        "List payments that wait for an analyst, the newest first",
        PAYMENT_FILTERS,
        &[ok("PaymentPage", "A page of payments")],
    ),
    Operation {
        tag: "reviews",
        ..act(
            "/v1/reviews/{id}/approve",
            "approveReview",
            "Let a held payment go on to the acquirer",
            optional("Review"),
            &[DONE, UNKNOWN],
        )
    },
    Operation {
        tag: "reviews",
        ..act(
            "/v1/reviews/{id}/reject",
            "rejectReview",
            "Decline a held payment",
            optional("Review"),
            &[DONE, UNKNOWN],
        )
    },
    Operation {
        method: "POST",
        route: "/v1/lists/{list}/items",
        id: "addListItem",
        tag: "lists",
        summary: "Put something on a list, or change how it stands there",
        parameters: &["list"],
        body: Some(required("NewListItem")),
        answers: &[ok("ListItem", "The item as it is on the list now")],
        own_problems: &[
            ProblemCode::ListNotFound,
            ProblemCode::ListFull,
            ProblemCode::TooManyLists,
        ],
    },
    Operation {
        own_problems: &[ProblemCode::ListNotFound],
        ..read(
            "/v1/lists/{list}/items",
            "listItems",
            "lists",
            "List what is on a list, by subject and value",
            &["list", "cursor", "limit"],
            &[ok(
                "ListItemPage",
                "A page of items; it can be empty and have more behind it",
            )],
        )
    },
    Operation {
        method: "DELETE",
        own_problems: &[
            ProblemCode::ListNotFound,
            ProblemCode::ListItemNotFound,
            ProblemCode::InvalidQuery,
        ],
        ..read(
            "/v1/lists/{list}/items",
            "removeListItem",
            "lists",
            "Take something off a list",
            &["list", "list_subject", "list_value"],
            &[nothing("It is on the list no more")],
        )
    },
    read(
        "/v1/events",
        "listEvents",
        "events",
        "List what happened to payments, in order",
        &["merchant_id", "cursor", "limit"],
        &[ok(
            "EventPage",
            "A page of events; its cursor also leads to those that are to come",
        )],
    ),
    Operation {
        method: "POST",
        route: "/v1/webhook-endpoints",
        id: "createWebhookEndpoint",
        tag: "webhooks",
        summary: "Have events sent to a URL",
        parameters: &[],
        body: Some(required("NewWebhookEndpoint")),
        answers: &[answer(
            201,
            "WebhookEndpoint",
            "The endpoint with its secret, which is not shown again",
            &[],
        )],
        own_problems: &[
            ProblemCode::InvalidIdentifier,
            ProblemCode::TooManyWebhookEndpoints,
        ],
    },
    read(
        "/v1/webhook-endpoints",
        "listWebhookEndpoints",
        "webhooks",
        "List webhook endpoints, by name",
        &["merchant_id", "cursor", "limit"],
        &[ok("WebhookEndpointPage", "A page of endpoints")],
    ),
    read(
        "/v1/webhook-endpoints/{id}",
        "getWebhookEndpoint",
        "webhooks",
        "Read a webhook endpoint",
        &["webhook_endpoint_id"],
        &[ok("WebhookEndpoint", "The endpoint")],
    ),
    Operation {
        method: "PATCH",
        route: "/v1/webhook-endpoints/{id}",
        id: "updateWebhookEndpoint",
        tag: "webhooks",
        summary: "Change a webhook endpoint in what is said",
        parameters: &["webhook_endpoint_id"],
        body: Some(required("WebhookEndpointChange")),
        answers: &[ok("WebhookEndpoint", "The endpoint as it is now")],
        own_problems: &[],
    },
    Operation {
        method: "DELETE",
        route: "/v1/webhook-endpoints/{id}",
        id: "deleteWebhookEndpoint",
        tag: "webhooks",
        summary: "Take a webhook endpoint away",
        parameters: &["webhook_endpoint_id"],
        body: None,
        answers: &[Answer {
            status: 204,
            media_type: "",
            schema: "",
            description: "It is gone",
            headers: &[],
        }],
        own_problems: &[],
    },
    Operation {
        method: "POST",
        route: "/v1/webhook-endpoints/{id}/rotate-secret",
        id: "rotateWebhookSecret",
        tag: "webhooks",
        summary: "Make a new secret",
        parameters: &["webhook_endpoint_id"],
        body: Some(optional("SecretRotation")),
        answers: &[ok(
            "WebhookEndpoint",
            "The endpoint with its new secret, which is not shown again",
        )],
        own_problems: &[],
    },
    read(
        "/v1/webhook-endpoints/{id}/deliveries",
        "listWebhookDeliveries",
        "webhooks",
        "List what was sent to an endpoint, the newest first",
        &["webhook_endpoint_id", "state", "cursor", "limit"],
        &[ok(
            "WebhookDeliveryPage",
            "A page of deliveries with their attempts",
        )],
    ),
    Operation {
        method: "POST",
        route: "/v1/webhook-deliveries/{id}/replay",
        id: "replayWebhookDelivery",
        tag: "webhooks",
        summary: "Send a webhook again",
        parameters: &["webhook_delivery_id"],
        body: Some(optional("Nothing")),
        answers: &[answer(202, "WebhookDelivery", "The delivery, due now", &[])],
        own_problems: &[
            ProblemCode::WebhookDeliveryNotFound,
            ProblemCode::WebhookDeliveryInFlight,
            ProblemCode::WebhookEndpointDisabled,
        ],
    },
    Operation {
        method: "POST",
        route: "/v1/risk/decisions",
        id: "decideRisk",
        tag: "risk",
        summary: "Decide without charging",
        parameters: &[],
        body: Some(required("NewDecision")),
        answers: &[ok("Decision", "The decision")],
        own_problems: &[ProblemCode::RiskUnavailable],
    },
    read(
        "/v1/policies",
        "listPolicies",
        "risk",
        "See how the risk policies stand on this node",
        &[],
        &[ok("Policies", "Every policy")],
    ),
    Operation {
        own_problems: &[ProblemCode::PolicyNotFound],
        ..read(
            "/v1/policies/{name}",
            "showPolicy",
            "risk",
            "See how one risk policy stands on this node",
            &["policy"],
            &[ok("Policy", "The policy")],
        )
    },
    read(
        "/v1/nodes",
        "listNodes",
        "operations",
        "See the node that answers",
        &[],
        &[ok("Nodes", "This node")],
    ),
    read(
        "/healthz",
        "health",
        "operations",
        "The process lives",
        &[],
        &[ok("Health", "It does")],
    ),
    Operation {
        own_problems: &[ProblemCode::TimedOut],
        ..read(
            "/readyz",
            "readiness",
            "operations",
            "The node can take payments",
            &[],
            &[
                ok("Readiness", "It can"),
                answer(503, "Readiness", "It cannot, or is shutting down", &[]),
            ],
        )
    },
    read(
        "/metrics",
        "metrics",
        "operations",
        "Read every metric",
        &[],
        &[text(
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "OpenMetrics text",
        )],
    ),
    read(
        "/openapi.json",
        "openapi",
        "documentation",
        "This document",
        &[],
        &[ok("Document", "OpenAPI 3.1")],
    ),
    read(
        "/docs",
        "docs",
        "documentation",
        "This document for people",
        &[],
        &[text("text/html; charset=utf-8", "A page without scripts")],
    ),
    Operation {
        own_problems: &[ProblemCode::NotFound],
        ..read(
            "/docs/errors/{code}",
            "errorPage",
            "documentation",
            "What an error code means, and what to do",
            &["code"],
            &[text("text/plain; charset=utf-8", "The page")],
        )
    },
];
