//! Gradient boosting of small trees for a yes-or-no label, after J. Friedman, "Greedy function approximation" (2001),
//! with the second-order leaf values of T. Chen and C. Guestrin, "XGBoost" (2016).

use fraud_score::INPUTS;

use crate::payments::Row;

pub(crate) const TREES: usize = 32;
pub(crate) const SPLITS: usize = 7;
pub(crate) const NODES: usize = 2 * SPLITS + 1;

/// How much of each tree is taken over: small steps generalise better, and 32 trees are to be enough.
const LEARNING_RATE: f64 = 0.25;

/// Holds leaf values back where there is little to learn from.
const REGULARISATION: f64 = 2.0;

/// The least weight (sum of second derivatives) on either side of a split.
const LEAST_WEIGHT: f64 = 3.0;

/// The least gain that is worth a split.
const LEAST_GAIN: f64 = 0.5;

/// How many thresholds are tried per input at most.
const MOST_THRESHOLDS: usize = 48;

/// Trees whose leaf values add up to log-odds.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) bias: f64,
    pub(crate) trees: Vec<Tree>,
}

/// A full tree: node `n` leads on to `2 n + 1` (up to the threshold) and `2 n + 2`. A node that does not split has a
/// threshold above every input, and the value of everything below it.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) splits: [Split; SPLITS],
    pub(crate) values: [f64; NODES],
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Split {
    pub(crate) input: usize,
    pub(crate) threshold: i32,
}

impl Split {
    const NONE: Self = Self {
        input: 0,
        threshold: i32::MAX,
    };
}

impl Tree {
    fn value(&self, inputs: &[i32; INPUTS]) -> f64 {
        let mut node = 0;
        while let Some(split) = self.splits.get(node) {
            node = 2 * node
                + if inputs[split.input] <= split.threshold {
                    1
                } else {
                    2
                };
        }
        self.values[node]
    }
}

impl Model {
    pub(crate) fn log_odds(&self, inputs: &[i32; INPUTS]) -> f64 {
        self.trees
            .iter()
            .fold(self.bias, |sum, tree| sum + tree.value(inputs))
    }
}

/// The likelihood for log-odds. The exponential is a product of a table-free series, because the one of the system's
/// library may differ in its last digit from one machine to the next.
pub(crate) fn likelihood(log_odds: f64) -> f64 {
    let clamped = log_odds.clamp(-30.0, 30.0);
    // e^x = (e^(x / 1024))^1024, and the series is exact to the last digits for so small a number.
    let small = -clamped / 1024.0;
    let mut power = 1.0 + small * (1.0 + small / 2.0 * (1.0 + small / 3.0 * (1.0 + small / 4.0)));
    for _ in 0..10 {
        power *= power;
    }
    1.0 / (1.0 + power)
}

/// First and second derivative of the loss, summed over rows.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    gradient: f64,
    weight: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.weight += other.weight;
    }

    fn without(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            weight: self.weight - other.weight,
        }
    }

    fn value(self) -> f64 {
        -LEARNING_RATE * self.gradient / (self.weight + REGULARISATION)
    }

    fn quality(self) -> f64 {
        self.gradient * self.gradient / (self.weight + REGULARISATION)
    }
}

/// Trains a model.
pub(crate) fn train(rows: &[Row]) -> Model {
    let thresholds: Vec<Vec<i32>> = (0..INPUTS).map(|input| candidates(rows, input)).collect();
    // Where in the list of thresholds each row falls, per input, so that no row is compared twice.
    let bins: Vec<[usize; INPUTS]> = rows
        .iter()
        .map(|row| {
            core::array::from_fn(|input| {
                thresholds[input].partition_point(|threshold| *threshold < row.inputs[input])
            })
        })
        .collect();
    let mut model = Model {
        bias: start(rows),
        trees: Vec::new(),
    };
    let mut log_odds = vec![model.bias; rows.len()];
    for _ in 0..TREES {
        let sums: Vec<Sums> = rows
            .iter()
            .zip(&log_odds)
            .map(|(row, odds)| derivatives(row.fraud, *odds))
            .collect();
        let mut tree = Tree {
            splits: [Split::NONE; SPLITS],
            values: [0.0; NODES],
        };
        grow(
            &mut tree,
            0,
            &(0..rows.len()).collect::<Vec<_>>(),
            &sums,
            &bins,
            &thresholds,
        );
        for (row, odds) in rows.iter().zip(&mut log_odds) {
            *odds += tree.value(&row.inputs);
        }
        model.trees.push(tree);
    }
    model
}

/// The log-odds of fraud over all rows, by bisection, which needs no logarithm.
#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer rows than a float can count"
)]
fn start(rows: &[Row]) -> f64 {
    let share = rows.iter().filter(|row| row.fraud).count() as f64 / rows.len() as f64;
    let (mut low, mut high) = (-20.0, 20.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if likelihood(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

fn derivatives(fraud: bool, log_odds: f64) -> Sums {
    let likely = likelihood(log_odds);
    Sums {
        gradient: likely - f64::from(u8::from(fraud)),
        weight: likely * (1.0 - likely),
    }
}

/// The thresholds to try: every value that occurs, or evenly picked ones where there are many. Never the highest.
fn candidates(rows: &[Row], input: usize) -> Vec<i32> {
    let mut values: Vec<i32> = rows.iter().map(|row| row.inputs[input]).collect();
    values.sort_unstable();
    values.dedup();
    values.pop();
    if values.len() <= MOST_THRESHOLDS {
        return values;
    }
    (0..MOST_THRESHOLDS)
        .map(|pick| values[pick * values.len() / MOST_THRESHOLDS])
        .collect()
}

/// Grows the tree below a node: the split that gains most, or none, and then both sides.
fn grow(
    tree: &mut Tree,
    node: usize,
    members: &[usize],
    sums: &[Sums],
    bins: &[[usize; INPUTS]],
    thresholds: &[Vec<i32>],
) {
    let mut total = Sums::default();
    for member in members {
        total.add(sums[*member]);
    }
    tree.values[node] = total.value();
    if node >= SPLITS {
        return;
    }
    let best = (0..INPUTS)
        .filter_map(|input| best_of_input(input, members, sums, bins, &thresholds[input], total))
        .fold(None, |best: Option<(f64, Split, usize)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        });
    let Some((_, split, bin)) = best else {
        return repeat(tree, node);
    };
    tree.splits[node] = split;
    let (left, right): (Vec<usize>, Vec<usize>) = members
        .iter()
        .partition(|member| bins[**member][split.input] <= bin);
    grow(tree, 2 * node + 1, &left, sums, bins, thresholds);
    grow(tree, 2 * node + 2, &right, sums, bins, thresholds);
    tree.values[node] = average(tree, node, &left, &right);
}

/// The average of the two sides, by the number of rows, so that the steps along a path add up to the leaf.
#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer rows than a float can count"
)]
fn average(tree: &Tree, node: usize, left: &[usize], right: &[usize]) -> f64 {
    let (left_rows, right_rows) = (left.len() as f64, right.len() as f64);
    (tree.values[2 * node + 1] * left_rows + tree.values[2 * node + 2] * right_rows)
        / (left_rows + right_rows)
}

/// A node that does not split hands its value down to all leaves below.
fn repeat(tree: &mut Tree, node: usize) {
    if node < SPLITS {
        tree.values[2 * node + 1] = tree.values[node];
        tree.values[2 * node + 2] = tree.values[node];
        repeat(tree, 2 * node + 1);
        repeat(tree, 2 * node + 2);
    }
}

/// The best split by one input: its gain, the split, and the bin of its threshold.
fn best_of_input(
    input: usize,
    members: &[usize],
    sums: &[Sums],
    bins: &[[usize; INPUTS]],
    thresholds: &[i32],
    total: Sums,
) -> Option<(f64, Split, usize)> {
    let mut histogram = vec![Sums::default(); thresholds.len() + 1];
    for member in members {
        histogram[bins[*member][input]].add(sums[*member]);
    }
    let mut best = None;
    let mut best_gain = LEAST_GAIN;
    let mut left = Sums::default();
    for (bin, threshold) in thresholds.iter().enumerate() {
        left.add(histogram[bin]);
        let right = total.without(left);
        let gain = (left.quality() + right.quality() - total.quality()) / 2.0;
        if left.weight >= LEAST_WEIGHT && right.weight >= LEAST_WEIGHT && gain > best_gain {
            best_gain = gain;
            best = Some((
                gain,
                Split {
                    input,
                    threshold: *threshold,
                },
                bin,
            ));
        }
    }
    best
}
