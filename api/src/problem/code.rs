//! Every code a caller can meet, with its text, its status and its title. The text is part of the interface: it is never
//! changed, and each has a page under `docs/errors/`.

use axum::http::StatusCode;

/// Why a request was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// Several things of different kinds are wrong with the body.
    InvalidBody,
    /// The body is no JSON.
    MalformedJson,
    /// A field that does not exist.
    UnknownField,
    /// A field that has to be there.
    MissingField,
    /// A field that is there twice.
    DuplicateField,
    /// A value of another JSON type.
    WrongType,
    /// Two fields that exclude each other.
    ConflictingFields,
    /// A currency that ISO 4217 does not list.
    UnknownCurrency,
    /// A currency without a minor unit.
    CurrencyNotPayable,
    /// An amount that is no number.
    MalformedAmount,
    /// Zero or below.
    AmountNotPositive,
    /// More decimals than the currency has.
    AmountTooPrecise,
    /// Beyond the largest amount.
    AmountTooLarge,
    /// Wrong length, character or check digit.
    InvalidCardNumber,
    /// A month or year that cannot be.
    InvalidCardExpiry,
    /// The card's last month is over.
    CardExpired,
    /// The card number is in a field that is kept.
    CardNumberMisplaced,
    /// Not two upper-case letters.
    InvalidCountry,
    /// Not 1 to 64 plain characters.
    InvalidIdentifier,
    /// Empty, too long, or with control characters.
    InvalidText,
    /// Not an IP address.
    InvalidIpAddress,
    /// Not four digits.
    InvalidMerchantCategory,
    /// More metadata than a payment may carry.
    TooManyMetadataEntries,
    /// A larger body than is read.
    BodyTooLarge,
    /// The body did not come whole, or not in time.
    BodyIncomplete,
    /// Something else than JSON.
    UnsupportedMediaType,
    /// The `Idempotency-Key` is none.
    InvalidIdempotencyKey,
    /// The same request is under way.
    IdempotencyKeyInUse,
    /// The `Idempotency-Key` stands for another request.
    IdempotencyKeyReused,
    /// A parameter of the query that is unknown or cannot be.
    InvalidQuery,
    /// The payment's status does not allow it.
    PaymentStateConflict,
    /// Another operation of the payment has not ended.
    OperationInFlight,
    /// More than is left to capture or to refund.
    AmountExceedsRemainder,
    /// Another currency than the payment's.
    CurrencyMismatch,
    /// The payment has no operation of this name.
    OperationNotFound,
    /// No policy has this name.
    PolicyNotFound,
    /// No decision of this name is kept.
    DecisionNotFound,
    /// A URL that webhooks are not sent to.
    InvalidWebhookUrl,
    /// The merchant has as many endpoints as he may.
    TooManyWebhookEndpoints,
    /// No webhook endpoint has this name.
    WebhookEndpointNotFound,
    /// Nothing is sent to the endpoint.
    WebhookEndpointDisabled,
    /// No webhook delivery has this name.
    WebhookDeliveryNotFound,
    /// The webhook is being sent.
    WebhookDeliveryInFlight,
    /// Not the fingerprint of a card.
    InvalidFingerprint,
    /// No moment that is to come.
    InvalidExpiresAt,
    /// No list has this name.
    ListNotFound,
    /// The list does not have this item.
    ListItemNotFound,
    /// The list has as many items as it can have.
    ListFull,
    /// There are as many lists as there can be.
    TooManyLists,
    /// A longer path and query than is read.
    UriTooLong,
    /// No payment has this name.
    PaymentNotFound,
    /// No such path.
    NotFound,
    /// The path takes other methods.
    MethodNotAllowed,
    /// No key that works.
    Unauthenticated,
    /// The key is not good for this.
    Forbidden,
    /// The merchant sends too much.
    RateLimited,
    /// The node is full.
    TooManyRequests,
    /// No policies are loaded.
    RiskUnavailable,
    /// The payment store does not answer.
    StorageUnavailable,
    /// Money may have moved, and this answer cannot say.
    PaymentOutcomeUnknown,
    /// The request took too long.
    TimedOut,
    /// A defect of the gateway.
    Internal,
}

impl ProblemCode {
    /// Every code.
    pub const ALL: [Self; 62] = [
        Self::InvalidBody,
        Self::MalformedJson,
        Self::UnknownField,
        Self::MissingField,
        Self::DuplicateField,
        Self::WrongType,
        Self::ConflictingFields,
        Self::UnknownCurrency,
        Self::CurrencyNotPayable,
        Self::MalformedAmount,
        Self::AmountNotPositive,
        Self::AmountTooPrecise,
        Self::AmountTooLarge,
        Self::InvalidCardNumber,
        Self::InvalidCardExpiry,
        Self::CardExpired,
        Self::CardNumberMisplaced,
        Self::InvalidCountry,
        Self::InvalidIdentifier,
        Self::InvalidText,
        Self::InvalidIpAddress,
        Self::InvalidMerchantCategory,
        Self::TooManyMetadataEntries,
        Self::BodyTooLarge,
        Self::BodyIncomplete,
        Self::UnsupportedMediaType,
        Self::InvalidIdempotencyKey,
        Self::IdempotencyKeyInUse,
        Self::IdempotencyKeyReused,
        Self::InvalidQuery,
        Self::PaymentStateConflict,
        Self::OperationInFlight,
        Self::AmountExceedsRemainder,
        Self::CurrencyMismatch,
        Self::OperationNotFound,
        Self::PolicyNotFound,
        Self::DecisionNotFound,
        Self::InvalidWebhookUrl,
        Self::TooManyWebhookEndpoints,
        Self::WebhookEndpointNotFound,
        Self::WebhookEndpointDisabled,
        Self::WebhookDeliveryNotFound,
        Self::WebhookDeliveryInFlight,
        Self::InvalidFingerprint,
        Self::InvalidExpiresAt,
        Self::ListNotFound,
        Self::ListItemNotFound,
        Self::ListFull,
        Self::TooManyLists,
        Self::UriTooLong,
        Self::PaymentNotFound,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::RateLimited,
        Self::TooManyRequests,
        Self::RiskUnavailable,
        Self::StorageUnavailable,
        Self::PaymentOutcomeUnknown,
        Self::TimedOut,
        Self::Internal,
    ];

    /// The stable text, such as `unknown_currency`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidBody => "invalid_body",
            Self::MalformedJson => "malformed_json",
            Self::UnknownField => "unknown_field",
            Self::MissingField => "missing_field",
            Self::DuplicateField => "duplicate_field",
            Self::WrongType => "wrong_type",
            Self::ConflictingFields => "conflicting_fields",
            Self::UnknownCurrency => "unknown_currency",
            Self::CurrencyNotPayable => "currency_not_payable",
            Self::MalformedAmount => "malformed_amount",
            Self::AmountNotPositive => "amount_not_positive",
            Self::AmountTooPrecise => "amount_too_precise",
            Self::AmountTooLarge => "amount_too_large",
            Self::InvalidCardNumber => "invalid_card_number",
            Self::InvalidCardExpiry => "invalid_card_expiry",
            Self::CardExpired => "card_expired",
            Self::CardNumberMisplaced => "card_number_misplaced",
            Self::InvalidCountry => "invalid_country",
            Self::InvalidIdentifier => "invalid_identifier",
            Self::InvalidText => "invalid_text",
            Self::InvalidIpAddress => "invalid_ip_address",
            Self::InvalidMerchantCategory => "invalid_merchant_category",
            Self::TooManyMetadataEntries => "too_many_metadata_entries",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyIncomplete => "body_incomplete",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::InvalidIdempotencyKey => "invalid_idempotency_key",
            Self::IdempotencyKeyInUse => "idempotency_key_in_use",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::InvalidQuery => "invalid_query",
            Self::PaymentStateConflict => "payment_state_conflict",
            Self::OperationInFlight => "operation_in_flight",
            Self::AmountExceedsRemainder => "amount_exceeds_remainder",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::OperationNotFound => "operation_not_found",
            Self::PolicyNotFound => "policy_not_found",
            Self::DecisionNotFound => "decision_not_found",
            Self::InvalidWebhookUrl => "invalid_webhook_url",
            Self::TooManyWebhookEndpoints => "too_many_webhook_endpoints",
            Self::WebhookEndpointNotFound => "webhook_endpoint_not_found",
            Self::WebhookEndpointDisabled => "webhook_endpoint_disabled",
            Self::WebhookDeliveryNotFound => "webhook_delivery_not_found",
            Self::WebhookDeliveryInFlight => "webhook_delivery_in_flight",
            Self::InvalidFingerprint => "invalid_fingerprint",
            Self::InvalidExpiresAt => "invalid_expires_at",
            Self::ListNotFound => "list_not_found",
            Self::ListItemNotFound => "list_item_not_found",
            Self::ListFull => "list_full",
            Self::TooManyLists => "too_many_lists",
            Self::UriTooLong => "uri_too_long",
            Self::PaymentNotFound => "payment_not_found",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::TooManyRequests => "too_many_requests",
            Self::RiskUnavailable => "risk_unavailable",
            Self::StorageUnavailable => "storage_unavailable",
            Self::PaymentOutcomeUnknown => "payment_outcome_unknown",
            Self::TimedOut => "timed_out",
            Self::Internal => "internal",
        }
    }

    /// The status it is answered with. `payment_outcome_unknown` is a plain 500 on purpose: clients repeat 502, 503 and
    /// 504 by themselves, and this one must not be repeated.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::PaymentNotFound
            | Self::OperationNotFound
            | Self::PolicyNotFound
            | Self::WebhookEndpointNotFound
            | Self::WebhookDeliveryNotFound
            | Self::DecisionNotFound
            | Self::ListNotFound
            | Self::ListItemNotFound
            | Self::NotFound => StatusCode::NOT_FOUND,
            Self::IdempotencyKeyInUse
            | Self::PaymentStateConflict
            | Self::OperationInFlight
            | Self::TooManyWebhookEndpoints
            | Self::WebhookEndpointDisabled
            | Self::WebhookDeliveryInFlight
            | Self::ListFull
            | Self::TooManyLists => StatusCode::CONFLICT,
            Self::IdempotencyKeyReused | Self::AmountExceedsRemainder | Self::CurrencyMismatch => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooManyRequests | Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::RiskUnavailable | Self::StorageUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::PaymentOutcomeUnknown | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The same few words for every occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidBody => "Invalid body",
            Self::MalformedJson => "Malformed JSON",
            Self::UnknownField => "Unknown field",
            Self::MissingField => "Missing field",
            Self::DuplicateField => "Duplicate field",
            Self::WrongType => "Wrong type",
            Self::ConflictingFields => "Conflicting fields",
            Self::UnknownCurrency => "Unknown currency",
            Self::CurrencyNotPayable => "Currency cannot be paid in",
            Self::MalformedAmount => "Malformed amount",
            Self::AmountNotPositive => "Amount not positive",
            Self::AmountTooPrecise => "Amount too precise",
            Self::AmountTooLarge => "Amount too large",
            Self::InvalidCardNumber => "Invalid card number",
            Self::InvalidCardExpiry => "Invalid card expiry",
            Self::CardExpired => "Card expired",
            Self::CardNumberMisplaced => "Card number misplaced",
            Self::InvalidCountry => "Invalid country",
            Self::InvalidIdentifier => "Invalid identifier",
            Self::InvalidText => "Invalid text",
            Self::InvalidIpAddress => "Invalid IP address",
            Self::InvalidMerchantCategory => "Invalid merchant category",
            Self::TooManyMetadataEntries => "Too many metadata entries",
            Self::BodyTooLarge => "Body too large",
            Self::BodyIncomplete => "Body incomplete",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::InvalidIdempotencyKey => "Invalid idempotency key",
            Self::IdempotencyKeyInUse => "Idempotency key in use",
            Self::IdempotencyKeyReused => "Idempotency key reused",
            Self::InvalidQuery => "Invalid query",
            Self::PaymentStateConflict => "Payment state conflict",
            Self::OperationInFlight => "Operation in flight",
            Self::AmountExceedsRemainder => "Amount exceeds remainder",
            Self::CurrencyMismatch => "Currency mismatch",
            Self::OperationNotFound => "Operation not found",
            Self::PolicyNotFound => "Policy not found",
            Self::DecisionNotFound => "Decision not found",
            Self::InvalidWebhookUrl => "Invalid webhook URL",
            Self::TooManyWebhookEndpoints => "Too many webhook endpoints",
            Self::WebhookEndpointNotFound => "Webhook endpoint not found",
            Self::WebhookEndpointDisabled => "Webhook endpoint disabled",
            Self::WebhookDeliveryNotFound => "Webhook delivery not found",
            Self::WebhookDeliveryInFlight => "Webhook delivery in flight",
            Self::InvalidFingerprint => "Invalid fingerprint",
            Self::InvalidExpiresAt => "Invalid time of expiry",
            Self::ListNotFound => "List not found",
            Self::ListItemNotFound => "List item not found",
            Self::ListFull => "List full",
            Self::TooManyLists => "Too many lists",
            Self::UriTooLong => "URI too long",
            Self::PaymentNotFound => "Payment not found",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Unauthenticated => "Unauthenticated",
            Self::Forbidden => "Forbidden",
            Self::RateLimited => "Rate limited",
            Self::TooManyRequests => "Too many requests",
            Self::RiskUnavailable => "Risk decisions unavailable",
            Self::StorageUnavailable => "Storage unavailable",
            Self::PaymentOutcomeUnknown => "Payment outcome unknown",
            Self::TimedOut => "Timed out",
            Self::Internal => "Internal error",
        }
    }

    /// After how many seconds the same request may be sent again, where that is safe and sensible: a full node empties
    /// within a second, a merchant may send at least one request a second, an operation ends within one, a missing dependency takes a few.
    #[must_use]
    pub const fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::TooManyRequests
            | Self::RateLimited
            | Self::IdempotencyKeyInUse
            | Self::OperationInFlight
            | Self::WebhookDeliveryInFlight => Some(1),
            Self::RiskUnavailable | Self::StorageUnavailable => Some(5),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
