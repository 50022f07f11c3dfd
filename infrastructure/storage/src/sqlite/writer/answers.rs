//! Answers to all jobs of a batch, handed over at once.

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{Job, WriteResult};

/// What the jobs of a batch came to, on the way to whoever waits. However they are let go of, everybody hears of his own.
pub(super) struct Answers {
    answers: Vec<(oneshot::Sender<WriteResult>, WriteResult)>,
    runtime: Option<Handle>,
}

impl Answers {
    /// The answers to these jobs, in their order.
    pub(super) fn of(jobs: &mut Vec<Job>, results: Vec<WriteResult>) -> Self {
        let runtime = jobs.first().map(|job| job.runtime.clone());
        let replies = jobs.drain(..).map(|job| job.reply);
        Self {
            answers: replies.zip(results).collect(),
            runtime,
        }
    }

    /// Has them delivered where those run who wait. To wake a task from here may be a call into the kernel for each of them; there
    /// it is one for all of them, and the writer goes on meanwhile.
    pub(super) fn deliver(mut self) {
        match self.runtime.take() {
            Some(runtime) if self.answers.len() > 1 => {
                // Where the runtime is about to end, it drops the task, which delivers too.
                drop(runtime.spawn(async move { drop(self) }));
            }
            _ => {}
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        for (reply, answer) in self.answers.drain(..) {
            // Whoever has left meanwhile does not ask.
            let _left = reply.send(answer);
        }
    }
}
