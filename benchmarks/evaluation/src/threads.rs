//! How much two threads get done, against one: ours, and native code for what the machine itself allows.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::benchmark::median;

use crate::contender::Contender;
use crate::ours::Ours;
use crate::pinning::Pinned;
use crate::sample;

/// How long each is counted in each round.
const TIME: Duration = Duration::from_millis(250);

/// Calls between two looks at whether time is up.
const STRIDE: u32 = 64;

/// Evaluations a second, of one thread and of two.
#[derive(Default)]
pub(crate) struct Scaling {
    one: Vec<f64>,
    two: Vec<f64>,
}

impl Scaling {
    /// Counts one round.
    pub(crate) fn round<C: Contender>(
        &mut self,
        node: &Ours,
        cores: [usize; 2],
        contender: impl Fn() -> C + Sync,
    ) {
        let [first, _] = cores;
        self.one.push(throughput(node, &[first], &contender));
        self.two.push(throughput(node, &cores, &contender));
    }

    /// Evaluations a second on one thread: the middle of the rounds.
    pub(crate) fn of_one(&self) -> f64 {
        median(&self.one)
    }

    /// Evaluations a second on two threads.
    pub(crate) fn of_two(&self) -> f64 {
        median(&self.two)
    }

    /// How many times as many two threads make.
    pub(crate) fn factor(&self) -> f64 {
        let factors: Vec<f64> = self
            .two
            .iter()
            .zip(&self.one)
            .map(|(two, one)| two / one)
            .collect();
        median(&factors)
    }
}

/// Evaluations a second of all threads together, one on each of these cores.
fn throughput<C: Contender>(node: &Ours, cores: &[usize], contender: &(impl Fn() -> C + Sync)) -> f64 {
    let over = AtomicBool::new(false);
    let begin = Barrier::new(cores.len());
    thread::scope(|scope| {
        let threads: Vec<_> = cores
            .iter()
            .map(|core| {
                let (over, begin) = (&over, &begin);
                scope.spawn(move || {
                    let _entered = node.enter();
                    let _pinned = Pinned::to(*core);
                    count(contender(), over, begin)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread counts"))
            .sum()
    })
}

/// Counts until the first of the threads is done: what comes after had the machine to itself.
fn count(mut contender: impl Contender, over: &AtomicBool, begin: &Barrier) -> f64 {
    let case = sample::challenged();
    begin.wait();
    let started = Instant::now();
    let mut calls = 0_u32;
    while !over.load(Ordering::Relaxed) {
        for _ in 0..STRIDE {
            black_box(contender.evaluate(black_box(&case)));
        }
        calls += STRIDE;
        if started.elapsed() > TIME {
            over.store(true, Ordering::Relaxed);
        }
    }
    f64::from(calls) / started.elapsed().as_secs_f64()
}
