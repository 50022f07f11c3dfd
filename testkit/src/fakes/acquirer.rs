//! An acquirer that answers what it was told to.

use std::collections::VecDeque;
use std::sync::Mutex;

use application::ports::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardKept, CardSource, FollowUpRequest,
    InquiryAnswer, KeepCardRequest,
};
use async_trait::async_trait;
use domain::payment::{AcquirerReference, CardToken, OperationKind};
use domain::{MerchantId, Money, OperationId};

type Answer = Result<AcquirerAnswer, AcquirerError>;

/// What it was asked; of the card only what may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedOperation {
    /// What.
    pub kind: OperationKind,
    /// Under which name.
    pub operation_id: OperationId,
    /// Who is paid.
    pub merchant_id: MerchantId,
    /// How much.
    pub amount: Money,
    /// The last digits of the card, the name of the one that is kept, or the reference of the authorization.
    pub on: String,
}

/// Gives the answers that were put in, in order, and approves from then on.
#[derive(Debug, Default)]
pub struct ScriptedAcquirer {
    answers: Mutex<VecDeque<Answer>>,
    inquiries: Mutex<VecDeque<Result<InquiryAnswer, AcquirerError>>>,
    kept: Mutex<VecDeque<Result<CardKept, AcquirerError>>>,
    asked: Mutex<Vec<AskedOperation>>,
}

impl ScriptedAcquirer {
    /// The next answer that has none yet.
    pub fn answer(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<AskedOperation> {
        self.asked.lock().unwrap().clone()
    }

    /// The next answer to an inquiry; from the last one on no operation was ever received.
    pub fn answer_inquiry(&self, answer: Result<InquiryAnswer, AcquirerError>) {
        self.inquiries.lock().unwrap().push_back(answer);
    }

    /// What becomes of the next card that is to be kept; from the last one on each is kept.
    pub fn answer_keeping(&self, answer: Result<CardKept, AcquirerError>) {
        self.kept.lock().unwrap().push_back(answer);
    }

    fn asked_for(&self, asked: AskedOperation) -> Answer {
        let reference = AcquirerReference::parse(&format!("ref_{}", asked.operation_id)).unwrap();
        self.asked.lock().unwrap().push(asked);
        let scripted = self.answers.lock().unwrap().pop_front();
        scripted.unwrap_or(Ok(AcquirerAnswer::Approved { reference }))
    }
}

#[async_trait]
impl Acquirer for ScriptedAcquirer {
    async fn authorize(&self, request: AuthorizationRequest<'_>) -> Answer {
        self.asked_for(AskedOperation {
            kind: OperationKind::Authorize,
            operation_id: request.operation_id.clone(),
            merchant_id: request.merchant_id.clone(),
            amount: request.amount,
            on: match request.card {
                CardSource::Card { number, .. } => number.last4().to_owned(),
                CardSource::Kept(token) => token.as_str().to_owned(),
            },
        })
    }

    async fn follow_up(&self, request: FollowUpRequest<'_>) -> Answer {
        self.asked_for(AskedOperation {
            kind: request.kind,
            operation_id: request.operation_id.clone(),
            merchant_id: request.merchant_id.clone(),
            amount: request.amount,
            on: request.authorization.as_str().to_owned(),
        })
    }

    async fn keep_card(&self, request: KeepCardRequest<'_>) -> Result<CardKept, AcquirerError> {
        let token = CardToken::parse(&format!("tok_{}", request.payment_id)).unwrap();
        let scripted = self.kept.lock().unwrap().pop_front();
        scripted.unwrap_or(Ok(CardKept::As(token)))
    }

    async fn inquire(&self, _: &OperationId, _: &MerchantId) -> Result<InquiryAnswer, AcquirerError> {
        let scripted = self.inquiries.lock().unwrap().pop_front();
        scripted.unwrap_or(Ok(InquiryAnswer::NeverReceived))
    }
}
