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
        if self.answers.len() > 1
            && let Some(runtime) = self.runtime.take()
        {
            // Where the runtime is about to end, it drops the task, which delivers too.
            drop(runtime.spawn(async move { drop(self) }));
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

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;

    use super::super::{Claim, Work, WriteError};
    use super::*;

    fn jobs(runtime: &Runtime, count: usize) -> (Vec<Job>, Vec<oneshot::Receiver<WriteResult>>) {
        let job = |_| {
            let (reply, answer) = oneshot::channel();
            let job = Job {
                work: Work::Check,
                claim: Claim::default(),
                reply,
                runtime: runtime.handle().clone(),
            };
            (job, answer)
        };
        (0..count).map(job).unzip()
    }

    #[test]
    fn everybody_hears_of_his_own() {
        let runtime = Runtime::new().unwrap();
        for count in [1, 3] {
            let (mut jobs, answers) = jobs(&runtime, count);
            let results: Vec<WriteResult> = (0..count)
                .map(|number| {
                    if number == 1 {
                        Err(WriteError::KeyTaken)
                    } else {
                        Ok(number)
                    }
                })
                .collect();
            Answers::of(&mut jobs, results.clone()).deliver();
            assert!(jobs.is_empty());
            for (answer, result) in answers.into_iter().zip(results) {
                assert_eq!(answer.blocking_recv(), Ok(result));
            }
        }
    }

    #[test]
    fn they_are_delivered_also_when_the_runtime_has_ended() {
        let runtime = Runtime::new().unwrap();
        let (mut jobs, answers) = jobs(&runtime, 2);
        drop(runtime);
        Answers::of(&mut jobs, vec![Ok(0), Ok(1)]).deliver();
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.blocking_recv(), Ok(Ok(number)));
        }
    }
}
