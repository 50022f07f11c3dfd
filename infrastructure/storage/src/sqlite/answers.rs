//! Answers of a thread to all that it was asked together, handed over at once.

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// What was asked together came to this, on the way to whoever waits. However they are let go of, everybody hears of his own.
pub(super) struct Answers<T: Send + 'static> {
    answers: Vec<(oneshot::Sender<T>, T)>,
}

impl<T: Send + 'static> Answers<T> {
    pub(super) const fn new(answers: Vec<(oneshot::Sender<T>, T)>) -> Self {
        Self { answers }
    }

    /// Has them delivered where those run who wait. To wake a task from here may be a call into the kernel for each of them; there
    /// it is one for all of them, and this thread goes on meanwhile.
    pub(super) fn deliver(self, runtime: Option<Handle>) {
        if self.answers.len() > 1
            && let Some(runtime) = runtime
        {
            // Where the runtime is about to end, it drops the task, which delivers too.
            drop(runtime.spawn(async move { drop(self) }));
        }
    }
}

impl<T: Send + 'static> Drop for Answers<T> {
    fn drop(&mut self) {
        for (reply, answer) in self.answers.drain(..) {
            // Whoever has left meanwhile does not ask.
            let _left = reply.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;

    use super::*;

    fn asked(count: usize) -> (Answers<usize>, Vec<oneshot::Receiver<usize>>) {
        let (replies, answers): (Vec<_>, Vec<_>) = (0..count).map(|_| oneshot::channel()).unzip();
        (Answers::new(replies.into_iter().zip(0..).collect()), answers)
    }

    #[test]
    fn everybody_hears_of_his_own() {
        let runtime = Runtime::new().unwrap();
        for count in [1, 3] {
            let (asked, answers) = asked(count);
            asked.deliver(Some(runtime.handle().clone()));
            for (number, answer) in answers.into_iter().enumerate() {
                assert_eq!(answer.blocking_recv(), Ok(number));
            }
        }
    }

    #[test]
    fn they_are_delivered_also_when_the_runtime_has_ended() {
        let runtime = Runtime::new().unwrap();
        let handle = runtime.handle().clone();
        let (asked, answers) = asked(2);
        drop(runtime);
        asked.deliver(Some(handle));
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.blocking_recv(), Ok(number));
        }
    }
}
