//! What is compared: something that decides payments, timed in turns with all others.

use std::hint::black_box;
use std::time::{Duration, Instant};

use benchmark_rule::{Answer, Outcome};
use testkit::benchmark::{Samples, median};

use crate::sample::{self, Case};

/// Decides payments.
pub(crate) trait Contender {
    /// What it answers, in its own types.
    type Verdict;

    /// Decides one payment: from the payment as the gateway has it to an answer that can be read. This is what is timed.
    fn evaluate(&mut self, case: &Case) -> Self::Verdict;

    /// The answer in the rule's own types. Not timed.
    fn answer(&self, verdict: Self::Verdict) -> Answer;

    /// How many calls are timed together: more than one where a call is not much longer than looking at the clock.
    fn batch(&self) -> usize {
        1
    }
}

/// A contender of any kind.
pub(crate) trait Timed {
    fn ask(&mut self, case: &Case) -> Answer;
    fn time(&mut self, case: &Case, calls: usize) -> Vec<Duration>;
}

impl<C: Contender> Timed for C {
    fn ask(&mut self, case: &Case) -> Answer {
        let verdict = self.evaluate(case);
        self.answer(verdict)
    }

    fn time(&mut self, case: &Case, calls: usize) -> Vec<Duration> {
        let batch = self.batch();
        let in_a_batch = u32::try_from(batch).unwrap_or(u32::MAX);
        (0..calls)
            .map(|_| {
                let started = Instant::now();
                for _ in 0..batch {
                    black_box(self.evaluate(black_box(case)));
                }
                started.elapsed() / in_a_batch
            })
            .collect()
    }
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    contender: Box<dyn Timed>,
    medians: Vec<f64>,
    p99s: Vec<f64>,
}

impl Row {
    /// A contender that answers every sample as the rule itself does.
    ///
    /// # Panics
    /// When it does not.
    pub(crate) fn new(name: &'static str, contender: impl Contender + 'static) -> Self {
        Self::comparing(name, contender, |answer| answer)
    }

    /// The same, of which only a part can be compared, since it has no words for the rest.
    ///
    /// # Panics
    /// When that is not what the rule answers.
    pub(crate) fn comparing<T: PartialEq + std::fmt::Debug>(
        name: &'static str,
        contender: impl Contender + 'static,
        part: impl Fn(Answer) -> T,
    ) -> Self {
        let mut contender: Box<dyn Timed> = Box::new(contender);
        for (sample, outcome) in [
            (sample::challenged(), Outcome::Challenge),
            (sample::approved(), Outcome::Approve),
            (sample::declined(), Outcome::Decline),
            (sample::bare(), Outcome::Approve),
        ] {
            let parameters = sample::parameters();
            let expected = benchmark_rule::decide(&sample.payment(), &sample.features(), &parameters);
            assert_eq!(expected.outcome, outcome, "the rule about its samples");
            assert_eq!(
                part(sorted(contender.ask(&sample))),
                part(sorted(expected)),
                "`{name}` does not answer as the rule does"
            );
        }
        Self {
            name,
            contender,
            medians: Vec::new(),
            p99s: Vec::new(),
        }
    }

    /// A turn: so many calls, after some that do not count.
    pub(crate) fn take_turn(&mut self, case: &Case, calls: usize) {
        self.contender.time(case, calls / 20 + 1);
        let samples = Samples::new(self.contender.time(case, calls));
        self.medians.push(samples.quantile_us(0.5));
        self.p99s.push(samples.quantile_us(0.99));
    }

    /// The middle of the rounds' medians, in microseconds.
    pub(crate) fn median_us(&self) -> f64 {
        median(&self.medians)
    }

    /// The middle of the rounds' 99th percentiles, in microseconds.
    pub(crate) fn p99_us(&self) -> f64 {
        median(&self.p99s)
    }

    /// How many times as long it took as another in the same round: the middle of the rounds.
    pub(crate) fn ratio_to(&self, other: &Self) -> f64 {
        let ratios: Vec<f64> = self
            .medians
            .iter()
            .zip(&other.medians)
            .map(|(own, other)| own / other)
            .collect();
        median(&ratios)
    }
}

/// Times all rows in turns, so that what else the machine does falls on each of them.
pub(crate) fn measure(rows: &mut [Row], rounds: usize, calls: usize) {
    let case = sample::challenged();
    for _ in 0..rounds {
        for row in &mut *rows {
            row.take_turn(&case, calls);
        }
    }
}

/// Whoever collects reasons in a set has them in another order.
fn sorted(mut answer: Answer) -> Answer {
    answer.reasons.sort();
    answer
}
