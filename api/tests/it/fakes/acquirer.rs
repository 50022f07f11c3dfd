//! An acquirer that says what it is told to, when it is told to.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use application::ports::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardKept, FollowUpRequest, InquiryAnswer,
    KeepCardRequest,
};
use async_trait::async_trait;
use domain::payment::{AcquirerReference, CardToken};
use domain::{MerchantId, OperationId};
use tokio::sync::{Semaphore, watch};

/// Answers in the order of its script, then approves. Held, it answers nobody until it is released.
pub(crate) struct ScriptedAcquirer {
    script: Mutex<VecDeque<Result<AcquirerAnswer, AcquirerError>>>,
    inquiries: Mutex<VecDeque<Result<InquiryAnswer, AcquirerError>>>,
    gate: Semaphore,
    panics: AtomicBool,
    calls: watch::Sender<usize>,
}

impl ScriptedAcquirer {
    pub(super) fn new() -> Self {
        Self {
            script: Mutex::default(),
            inquiries: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            panics: AtomicBool::new(false),
            calls: watch::Sender::new(0),
        }
    }

    pub(crate) fn then(&self, answer: Result<AcquirerAnswer, AcquirerError>) {
        self.script.lock().unwrap().push_back(answer);
    }

    /// What the next inquiry is answered; from the last one on nothing was ever received.
    pub(crate) fn then_inquiry(&self, answer: Result<InquiryAnswer, AcquirerError>) {
        self.inquiries.lock().unwrap().push_back(answer);
    }

    /// How often it was called to move money.
    pub(crate) fn calls(&self) -> usize {
        *self.calls.borrow()
    }

    pub(crate) fn panic_next(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    pub(crate) fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn release(&self) {
        self.gate.add_permits(1_000);
    }

    /// Waits until it was called so often.
    pub(crate) async fn called(&self, times: usize) {
        let mut calls = self.calls.subscribe();
        calls.wait_for(|calls| *calls >= times).await.unwrap();
    }
}

impl ScriptedAcquirer {
    async fn asked(&self, operation_id: &OperationId) -> Result<AcquirerAnswer, AcquirerError> {
        self.calls.send_modify(|calls| *calls += 1);
        assert!(!self.panics.swap(false, Ordering::SeqCst), "told to panic");
        drop(self.gate.acquire().await.unwrap());
        let scripted = self.script.lock().unwrap().pop_front();
        scripted.unwrap_or_else(|| {
            Ok(AcquirerAnswer::Approved {
                reference: AcquirerReference::parse(&format!("acq-{operation_id}")).unwrap(),
            })
        })
    }
}

#[async_trait]
impl Acquirer for ScriptedAcquirer {
    async fn authorize(&self, request: AuthorizationRequest<'_>) -> Result<AcquirerAnswer, AcquirerError> {
        self.asked(request.operation_id).await
    }

    async fn follow_up(&self, request: FollowUpRequest<'_>) -> Result<AcquirerAnswer, AcquirerError> {
        self.asked(request.operation_id).await
    }

    async fn keep_card(&self, request: KeepCardRequest<'_>) -> Result<CardKept, AcquirerError> {
        Ok(CardKept::As(
            CardToken::parse(&format!("tok-{}", request.payment_id)).unwrap(),
        ))
    }

    async fn inquire(&self, _: &OperationId, _: &MerchantId) -> Result<InquiryAnswer, AcquirerError> {
        let scripted = self.inquiries.lock().unwrap().pop_front();
        scripted.unwrap_or(Ok(InquiryAnswer::NeverReceived))
    }
}
