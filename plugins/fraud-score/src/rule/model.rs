//! The model: `model.txt`, read while this crate is compiled, so that a policy does not read it again for each payment and
//! a file that makes no sense does not compile.

use super::inputs::INPUTS;

/// How many trees `model.txt` has.
const TREES: usize = 32;

/// The nodes of a tree that ask something; node `n` leads on to `2 n + 1` and `2 n + 2`.
const SPLITS: usize = 7;

/// All nodes of a tree, the leaves last.
const NODES: usize = 2 * SPLITS + 1;

const TEXT: &[u8] = include_bytes!("../../model.txt");

static MODEL: Model = Model::parse(TEXT);

/// Trees whose leaf values add up to the log-odds of fraud. All values are in 65536ths.
struct Model {
    bias: i32,
    trees: [Tree; TREES],
}

/// A full tree of three questions in a row. A branch that ends early repeats its value to the bottom.
#[derive(Clone, Copy)]
struct Tree {
    /// The input that a node asks for.
    inputs: [u8; SPLITS],
    /// Up to this value the left branch is taken, above it the right one.
    thresholds: [i32; SPLITS],
    /// For a leaf what it adds; for an inner node the average of what the leaves below it add.
    values: [i32; NODES],
}

/// What the model says of one row of inputs.
pub(super) struct Scored {
    /// In 65536ths.
    pub(super) log_odds: i32,
    /// How much of that each input brought, above the average: the sum of the steps in value over all nodes that asked
    /// for it. After A. Saabas, "Interpreting random forests" (2014).
    pub(super) contributions: [i32; INPUTS],
}

/// Scores a row of inputs.
pub(super) fn score(inputs: &[i32; INPUTS]) -> Scored {
    let mut scored = Scored {
        log_odds: MODEL.bias,
        contributions: [0; INPUTS],
    };
    for tree in &MODEL.trees {
        scored.log_odds += tree.walk(inputs, &mut scored.contributions);
    }
    scored
}

impl Tree {
    #[expect(
        clippy::indexing_slicing,
        reason = "`Model::parse` lets no input and no node pass that is out of bounds"
    )]
    fn walk(&self, inputs: &[i32; INPUTS], contributions: &mut [i32; INPUTS]) -> i32 {
        let mut node = 0;
        while node < SPLITS {
            let input = usize::from(self.inputs[node]);
            let next = 2 * node
                + if inputs[input] <= self.thresholds[node] {
                    1
                } else {
                    2
                };
            contributions[input] += self.values[next] - self.values[node];
            node = next;
        }
        self.values[node]
    }
}

impl Model {
    #[expect(
        clippy::indexing_slicing,
        reason = "runs at build time, where an index out of bounds does not compile"
    )]
    #[expect(clippy::panic, reason = "runs at build time, where a panic does not compile")]
    const fn parse(text: &[u8]) -> Self {
        let mut numbers = Numbers { text, position: 0 };
        let bias = numbers.next();
        let mut trees = [Tree {
            inputs: [0; SPLITS],
            thresholds: [0; SPLITS],
            values: [0; NODES],
        }; TREES];
        let mut position = 0;
        while position < TREES {
            let tree = &mut trees[position];
            let mut node = 0;
            while node < SPLITS {
                let input = numbers.next();
                assert!(
                    input >= 0 && input < INPUTS_AS_NUMBER,
                    "model.txt asks for an input that there is not"
                );
                tree.inputs[node] = input.to_le_bytes()[0];
                tree.thresholds[node] = numbers.next();
                node += 1;
            }
            node = 0;
            while node < NODES {
                tree.values[node] = numbers.next();
                node += 1;
            }
            position += 1;
        }
        numbers.skip_words();
        if numbers.position != text.len() {
            panic!("model.txt has more trees than the code");
        }
        Self { bias, trees }
    }
}

const INPUTS_AS_NUMBER: i32 = 12;
const _: () = assert!(INPUTS == 12);

/// The whole numbers of a text, with everything else in between skipped, and all that follows a `#` on its line.
struct Numbers<'a> {
    text: &'a [u8],
    position: usize,
}

#[expect(
    clippy::indexing_slicing,
    reason = "runs at build time, where an index out of bounds does not compile"
)]
impl Numbers<'_> {
    const fn next(&mut self) -> i32 {
        self.skip_words();
        assert!(
            self.position < self.text.len(),
            "model.txt has fewer trees than the code"
        );
        let negative = self.text[self.position] == b'-';
        if negative {
            self.position += 1;
        }
        let mut number: i32 = 0;
        while self.position < self.text.len() && self.text[self.position].is_ascii_digit() {
            // An overflow does not compile either.
            let digit = i32::from_le_bytes([self.text[self.position] - b'0', 0, 0, 0]);
            number = number * 10 + digit;
            self.position += 1;
        }
        if negative { -number } else { number }
    }

    const fn skip_words(&mut self) {
        let mut in_comment = false;
        while self.position < self.text.len() {
            let byte = self.text[self.position];
            if in_comment {
                in_comment = byte != b'\n';
            } else if byte == b'#' {
                in_comment = true;
            } else if byte == b'-' || byte.is_ascii_digit() {
                return;
            }
            self.position += 1;
        }
    }
}
