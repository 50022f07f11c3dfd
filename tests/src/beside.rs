//! Payments beside slow ones: whether a policy that takes its time holds up those that it is not asked about.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::gateway::{Answer, Gateway, Payment};

/// What came of slow payments, and what was served beside them.
pub struct Beside {
    /// The answers to the slow ones.
    pub slow: Vec<Answer>,
    /// Other payments that were asked for and answered while every slow one was under way.
    pub served: usize,
}

impl Gateway {
    /// Asks for so many slow payments at once, and meanwhile for others, one after the other, which `quick` does. A gateway
    /// whose every worker thread is held by a slow payment serves one or two of the others at the most: what it takes before
    /// the last of the slow ones, and what it answers together with it. So as many are asked for as it has worker threads.
    ///
    /// # Panics
    /// When a slow payment is not answered, or `quick` panics.
    pub fn pay_beside(&self, slow: &Payment, at_once: usize, mut quick: impl FnMut()) -> Beside {
        let begun = AtomicUsize::new(0);
        thread::scope(|scope| {
            let pay = || {
                begun.fetch_add(1, Ordering::SeqCst);
                self.pay(slow)
            };
            let payers: Vec<_> = (0..at_once).map(|_| scope.spawn(pay)).collect();
            let mut served = 0;
            loop {
                let all_began = begun.load(Ordering::SeqCst) == at_once;
                quick();
                if all_began && payers.iter().all(|payer| !payer.is_finished()) {
                    served += 1;
                }
                if payers.iter().all(|payer| payer.is_finished()) {
                    break;
                }
            }
            let answers = payers
                .into_iter()
                .map(|payer| payer.join().expect("the payer ends"));
            Beside {
                slow: answers.collect(),
                served,
            }
        })
    }
}
