//! Payments under way all the time, and what came of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use crate::gateway::{Answer, Gateway, Payment};
use crate::wait::eventually;

/// Somebody who pays without a pause.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU32>,
    payer: Option<thread::JoinHandle<Vec<Answer>>>,
}

impl Traffic {
    /// Pays at this gateway from now on.
    #[must_use]
    pub fn start(gateway: &Arc<Gateway>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU32::new(0));
        let (paying, stopped, counted) = (Arc::clone(gateway), Arc::clone(&stop), Arc::clone(&sent));
        let payer = thread::spawn(move || {
            let mut answers = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                answers.push(paying.pay(&Payment::ordinary()));
                counted.fetch_add(1, Ordering::Relaxed);
            }
            answers
        });
        Self {
            stop,
            sent,
            payer: Some(payer),
        }
    }

    /// Waits until payments have flowed for a while from now.
    pub fn wait_for_more(&self) {
        let before = self.sent.load(Ordering::Relaxed);
        eventually("payments to flow", || {
            (self.sent.load(Ordering::Relaxed) > before + 20).then_some(())
        });
    }

    /// Stops, and gives every answer in its order.
    ///
    /// # Panics
    /// When a payment was not answered at all.
    #[must_use]
    pub fn stop(mut self) -> Vec<Answer> {
        self.stop.store(true, Ordering::Relaxed);
        let payer = self.payer.take().expect("it is stopped once");
        payer.join().expect("the payer ends")
    }
}

/// Also where a test fails: the payer holds the gateway, which would go on otherwise.
impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(payer) = self.payer.take() {
            // What it paid is nobody's concern any more.
            drop(payer.join());
        }
    }
}
