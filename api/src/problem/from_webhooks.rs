//! What the errors of webhooks are to a caller.

use application::ports::WebhookStoreUnavailable;
use application::use_cases::{
    CreateWebhookEndpointError, GetWebhookEndpointError, MAX_WEBHOOK_ENDPOINTS, ReplayWebhookDeliveryError,
    RotateWebhookSecretError, UpdateWebhookEndpointError,
};

use super::{FieldError, Problem, ProblemCode};

/// The same for a name that no endpoint has and for one that none can have.
pub(crate) fn webhook_endpoint_not_found() -> Problem {
    Problem::new(
        ProblemCode::WebhookEndpointNotFound,
        "No webhook endpoint has the name in the path.",
    )
}

/// The same for a name that no delivery has and for one that none can have.
pub(crate) fn webhook_delivery_not_found() -> Problem {
    Problem::new(
        ProblemCode::WebhookDeliveryNotFound,
        "No webhook delivery has the name in the path.",
    )
}

impl From<WebhookStoreUnavailable> for Problem {
    fn from(error: WebhookStoreUnavailable) -> Self {
        Self::new(
            ProblemCode::StorageUnavailable,
            "Webhooks cannot be read or written now; send it again later.",
        )
        .for_operator(error.to_string())
    }
}

impl From<CreateWebhookEndpointError> for Problem {
    fn from(error: CreateWebhookEndpointError) -> Self {
        match error {
            CreateWebhookEndpointError::Url(refused) => invalid_url(refused.expected),
            CreateWebhookEndpointError::TooMany => Self::new(
                ProblemCode::TooManyWebhookEndpoints,
                format!("The merchant has {MAX_WEBHOOK_ENDPOINTS} webhook endpoints already. None was made."),
            ),
            CreateWebhookEndpointError::NoRandomness(error) => Self::internal(error.to_string()),
            CreateWebhookEndpointError::Store(error) => error.into(),
        }
    }
}

impl From<GetWebhookEndpointError> for Problem {
    fn from(error: GetWebhookEndpointError) -> Self {
        match error {
            GetWebhookEndpointError::NotFound { .. } => webhook_endpoint_not_found(),
            GetWebhookEndpointError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateWebhookEndpointError> for Problem {
    fn from(error: UpdateWebhookEndpointError) -> Self {
        match error {
            UpdateWebhookEndpointError::Url(refused) => invalid_url(refused.expected),
            UpdateWebhookEndpointError::Endpoint(error) => error.into(),
        }
    }
}

impl From<RotateWebhookSecretError> for Problem {
    fn from(error: RotateWebhookSecretError) -> Self {
        match error {
            RotateWebhookSecretError::NoRandomness(error) => Self::internal(error.to_string()),
            RotateWebhookSecretError::Endpoint(error) => error.into(),
        }
    }
}

impl From<ReplayWebhookDeliveryError> for Problem {
    fn from(error: ReplayWebhookDeliveryError) -> Self {
        match error {
            ReplayWebhookDeliveryError::NotFound { .. } => webhook_delivery_not_found(),
            ReplayWebhookDeliveryError::InFlight { .. } => Self::new(
                ProblemCode::WebhookDeliveryInFlight,
                "The webhook is being sent in this very moment. Nothing was done.",
            ),
            ReplayWebhookDeliveryError::EndpointDisabled { .. } => Self::new(
                ProblemCode::WebhookEndpointDisabled,
                "The endpoint of the webhook is disabled. Nothing was done.",
            ),
            ReplayWebhookDeliveryError::Store(error) => error.into(),
        }
    }
}

fn invalid_url(message: String) -> Problem {
    Problem::of_fields(
        ProblemCode::InvalidWebhookUrl,
        vec![FieldError {
            path: "url".to_owned(),
            code: ProblemCode::InvalidWebhookUrl.as_str(),
            message,
        }],
    )
}
