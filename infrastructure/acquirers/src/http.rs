//! An acquirer over HTTP, by the protocol of `docs/acquirers.md`.

mod answer;
mod call;
mod connection;
mod files;

use application::ports::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardKept, CardSource, FollowUpRequest,
    InquiryAnswer, KeepCardRequest, PayerAuthentication,
};
use async_trait::async_trait;
use domain::{CardExpiry, CardNumber, MerchantId, Money, OperationId};
use hyper::header::HeaderValue;
use thiserror::Error;

use crate::body::wiped_json;
use crate::config::{ConfigError, HttpConfig};
use crate::protocol::{
    AmountBody, AuthenticationBody, CARDS, CardBody, INQUIRIES, InquiryBody, KeepCardBody, MAX_REQUEST_BYTES,
    OPERATIONS, OperationBody,
};
#[cfg(feature = "fuzzing")]
pub(crate) use answer::readings;
use call::{Call, Caller};
pub use files::FileError;

/// Speaks to one acquirer. Each operation goes out under its own name as the idempotency key, also when it is sent again.
#[derive(Debug)]
pub struct HttpAcquirer {
    caller: Caller,
}

/// Why an acquirer cannot be spoken to over HTTP as the configuration has it.
#[derive(Debug, Error)]
pub enum OpenHttpError {
    /// A setting means nothing.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// TLS cannot be set up.
    #[error("acquirer.http: TLS cannot be set up: {0}")]
    Tls(String),
}

impl HttpAcquirer {
    /// Reads the files that the configuration names. Nothing is connected yet.
    ///
    /// # Errors
    /// Names the setting, what was found and what was expected.
    pub fn open(config: &HttpConfig) -> Result<Self, OpenHttpError> {
        let url = config.checked_url()?;
        let token = files::token(&config.token_file)?;
        let tls = connection::tls(&config.ca_file)?;
        let client = connection::client(config, tls);
        Ok(Self {
            caller: Caller::new(config, &url, token, client),
        })
    }
}

#[async_trait]
impl Acquirer for HttpAcquirer {
    async fn authorize(&self, request: AuthorizationRequest<'_>) -> Result<AcquirerAnswer, AcquirerError> {
        let (card, card_token) = match request.card {
            CardSource::Card { number, expiry } => (Some(card_body(number, expiry)), None),
            CardSource::Kept(token) => (None, Some(token.as_str().into())),
        };
        let body = OperationBody {
            kind: "authorize".into(),
            merchant_id: request.merchant_id.as_str().into(),
            amount: amount_body(request.amount),
            card,
            card_token,
            authentication: request.authentication.map(authentication_body),
            authorization: None,
        };
        self.operation(request.operation_id, &body).await
    }

    async fn follow_up(&self, request: FollowUpRequest<'_>) -> Result<AcquirerAnswer, AcquirerError> {
        let body = OperationBody {
            kind: request.kind.as_str().into(),
            merchant_id: request.merchant_id.as_str().into(),
            amount: amount_body(request.amount),
            card: None,
            card_token: None,
            authentication: None,
            authorization: Some(request.authorization.as_str().into()),
        };
        self.operation(request.operation_id, &body).await
    }

    async fn keep_card(&self, request: KeepCardRequest<'_>) -> Result<CardKept, AcquirerError> {
        let body = KeepCardBody {
            payment_id: request.payment_id.as_str().into(),
            merchant_id: request.merchant_id.as_str().into(),
            card: card_body(request.number, request.expiry),
        };
        let name = request.payment_id.as_str();
        let call = Call {
            path: CARDS,
            name,
            key: Some(key(name)?),
            body: wiped_json(&body, MAX_REQUEST_BYTES).map_err(|error| unfit(&error))?,
        };
        self.caller
            .exchange(&call, |answer| answer::of_card(name, answer))
            .await
    }

    async fn inquire(
        &self,
        operation_id: &OperationId,
        merchant_id: &MerchantId,
    ) -> Result<InquiryAnswer, AcquirerError> {
        let body = InquiryBody {
            operation_id: operation_id.as_str().into(),
            merchant_id: merchant_id.as_str().into(),
        };
        let name = operation_id.as_str();
        let call = Call {
            path: INQUIRIES,
            name,
            key: None,
            body: wiped_json(&body, MAX_REQUEST_BYTES).map_err(|error| unfit(&error))?,
        };
        self.caller
            .exchange(&call, |answer| answer::of_inquiry(name, answer))
            .await
    }
}

impl HttpAcquirer {
    async fn operation(
        &self,
        id: &OperationId,
        body: &OperationBody<'_>,
    ) -> Result<AcquirerAnswer, AcquirerError> {
        let name = id.as_str();
        let call = Call {
            path: OPERATIONS,
            name,
            key: Some(key(name)?),
            body: wiped_json(body, MAX_REQUEST_BYTES).map_err(|error| unfit(&error))?,
        };
        self.caller
            .exchange(&call, |answer| answer::of_operation(name, answer))
            .await
    }
}

fn key(name: &str) -> Result<HeaderValue, AcquirerError> {
    HeaderValue::from_str(name).map_err(|error| AcquirerError::NotSent {
        reason: format!("the name `{name}` fits no header: {error}"),
    })
}

fn unfit(error: &serde_json::Error) -> AcquirerError {
    AcquirerError::NotSent {
        reason: format!("the request cannot be written: {error}"),
    }
}

fn amount_body(amount: Money) -> AmountBody<'static> {
    AmountBody {
        minor_units: amount.minor_units(),
        currency: amount.currency().code().into(),
    }
}

fn card_body(number: &CardNumber, expiry: CardExpiry) -> CardBody<'_> {
    CardBody {
        number: number.expose(),
        expiry_month: expiry.month(),
        expiry_year: expiry.year(),
    }
}

fn authentication_body(authentication: &PayerAuthentication) -> AuthenticationBody<'_> {
    AuthenticationBody {
        eci: authentication.eci.as_str().into(),
        cryptogram: authentication.cryptogram.as_str().into(),
        transaction_id: authentication.transaction_id.as_str().into(),
    }
}
