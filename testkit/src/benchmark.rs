//! What the benchmarks share: quantiles of what was measured, and the report that they leave.
//!
//! Times are a machine's; ratios within one run are what can be compared, so a [`Bar`] is always one of these or a size. A bar
//! that is missed is said, and fails nothing.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variable that names the folder for the sections, which `make bench` puts together into `docs/benchmarks.md`.
pub const FOLDER: &str = "BENCH_OUT";

/// Times that were measured, in order.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// These times.
    #[must_use]
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was measured.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A quantile in seconds: the smallest time that at least this part of them does not exceed. Zero where nothing was measured.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "as many samples as fit into memory"
    )]
    pub fn quantile(&self, part: f64) -> f64 {
        let index = ((self.0.len() as f64 * part).ceil() as usize).saturating_sub(1);
        self.0.get(index).map_or(0.0, Duration::as_secs_f64)
    }

    /// The same in milliseconds.
    #[must_use]
    pub fn quantile_ms(&self, part: f64) -> f64 {
        self.quantile(part) * 1e3
    }

    /// The same in microseconds.
    #[must_use]
    pub fn quantile_us(&self, part: f64) -> f64 {
        self.quantile(part) * 1e6
    }

    /// The middle one, in milliseconds.
    #[must_use]
    pub fn median_ms(&self) -> f64 {
        self.quantile_ms(0.5)
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<T: IntoIterator<Item = Duration>>(times: T) -> Self {
        Self::new(times.into_iter().collect())
    }
}

/// The middle of these values, the lower of two. Zero where there is none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or_default()
}

/// A table of a report. Its first column is text, the others are numbers.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings and nothing below.
    #[must_use]
    pub fn new<T: Into<String>>(head: impl IntoIterator<Item = T>) -> Self {
        Self {
            head: head.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// With one row more.
    ///
    /// # Panics
    /// When it has another number of cells than the head.
    #[must_use]
    pub fn row<T: Into<String>>(mut self, cells: impl IntoIterator<Item = T>) -> Self {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(
            cells.len(),
            self.head.len(),
            "a row of a table is as long as its head"
        );
        self.rows.push(cells);
        self
    }

    /// As Markdown that is readable on a terminal too: every column as wide as its widest cell.
    fn markdown(&self) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| {
                std::iter::once(&self.head)
                    .chain(&self.rows)
                    .map(|row| row[column].chars().count())
                    .max()
                    .unwrap_or(0)
                    .max(3)
            })
            .collect();
        let mut text = line(&self.head, &widths);
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| match column {
                0 => "-".repeat(*width),
                _ => format!("{}:", "-".repeat(width - 1)),
            })
            .collect();
        text.push_str(&line(&rule, &widths));
        for row in &self.rows {
            text.push_str(&line(row, &widths));
        }
        text
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::from("|");
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let written = match column {
            0 => write!(text, " {cell:<width$} |"),
            _ => write!(text, " {cell:>width$} |"),
        };
        written.expect("a string takes what is written to it");
    }
    text.push('\n');
    text
}

/// What a ratio or a size is to be.
#[derive(Clone, Debug)]
pub struct Bar {
    what: String,
    measured: f64,
    bound: Bound,
    stretch: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    /// `measured` is to be at least so much.
    #[must_use]
    pub fn at_least(what: impl Into<String>, measured: f64, bound: f64) -> Self {
        Self::new(what.into(), measured, Bound::AtLeast(bound))
    }

    /// `measured` is to be at most so much.
    #[must_use]
    pub fn at_most(what: impl Into<String>, measured: f64, bound: f64) -> Self {
        Self::new(what.into(), measured, Bound::AtMost(bound))
    }

    const fn new(what: String, measured: f64, bound: Bound) -> Self {
        Self {
            what,
            measured,
            bound,
            stretch: None,
        }
    }

    /// And is hoped to be as good as that.
    #[must_use]
    pub const fn stretch(mut self, stretch: f64) -> Self {
        self.stretch = Some(stretch);
        self
    }

    fn holds(&self, bound: f64) -> bool {
        match self.bound {
            Bound::AtLeast(_) => self.measured >= bound,
            Bound::AtMost(_) => self.measured <= bound,
        }
    }

    /// A row of the table of bars: what, measured, bar, stretch, and whether it is reached.
    fn row(&self) -> [String; 5] {
        let (sign, bound) = match self.bound {
            Bound::AtLeast(bound) => ("≥", bound),
            Bound::AtMost(bound) => ("≤", bound),
        };
        let reached = match self.stretch {
            Some(stretch) if self.holds(stretch) => "stretch",
            _ if self.holds(bound) => "yes",
            _ => "**no**",
        };
        [
            self.what.clone(),
            number(self.measured),
            format!("{sign} {}", number(bound)),
            self.stretch.map_or_else(String::new, number),
            reached.to_owned(),
        ]
    }
}

/// A number with three digits that say something.
#[must_use]
pub fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.3}"),
    }
}

/// The headings of the table of bars.
const BARS: [&str; 5] = ["what", "measured", "bar", "stretch", "reached"];

/// A section of `docs/benchmarks.md`, put together while a benchmark runs.
#[derive(Clone, Debug)]
pub struct Report {
    name: &'static str,
    text: String,
    bars: Vec<Bar>,
}

impl Report {
    /// An empty section. Sections stand in the order of their names.
    #[must_use]
    pub fn new(name: &'static str, title: &str) -> Self {
        Self {
            name,
            text: format!("## {title}\n"),
            bars: Vec::new(),
        }
    }

    /// Adds a paragraph.
    pub fn say(&mut self, paragraph: impl AsRef<str>) {
        self.text.push('\n');
        self.text.push_str(paragraph.as_ref());
        self.text.push('\n');
    }

    /// Adds a table.
    pub fn table(&mut self, table: &Table) {
        self.text.push('\n');
        self.text.push_str(&table.markdown());
    }

    /// Adds a bar.
    pub fn bar(&mut self, bar: Bar) {
        self.bars.push(bar);
    }

    /// Prints the section, and leaves it in the folder that [`FOLDER`] names, if it names one: `NAME.md`, and the rows of its bars
    /// in `NAME.bars`.
    ///
    /// # Panics
    /// When it cannot be written there.
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark is told by `make`, and has no configuration"
    )]
    pub fn finish(self) {
        println!("{}", self.printed());
        if let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) {
            self.leave_in(&folder);
        }
    }

    fn printed(&self) -> String {
        if self.bars.is_empty() {
            return self.text.clone();
        }
        format!("{}\n{}", self.text, self.table_of_bars().markdown())
    }

    fn table_of_bars(&self) -> Table {
        let rows = self.bars.iter().map(Bar::row);
        rows.fold(Table::new(BARS), Table::row)
    }

    fn leave_in(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("the folder of the report can be made");
        let path = |extension| folder.join(format!("{}.{extension}", self.name));
        fs::write(path("md"), &self.text).expect("the section can be written");
        let bars = self.table_of_bars().markdown();
        let rows: String = bars.split_inclusive('\n').skip(2).collect();
        fs::write(path("bars"), rows).expect("the bars can be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_time_that_was_measured() {
        let samples: Samples = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(
            [0.5, 0.99, 0.999, 1.0].map(|part| samples.quantile_ms(part).round()),
            [50.0, 99.0, 100.0, 100.0]
        );
        assert_eq!(Samples::default().median_ms(), 0.0);
    }

    #[test]
    fn a_median_is_one_of_the_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0, 10.0]), 2.0);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn a_bar_says_whether_it_is_reached() {
        let reached = |bar: Bar| bar.row()[4].clone();
        assert_eq!(reached(Bar::at_least("a", 0.84, 0.85)), "**no**");
        assert_eq!(reached(Bar::at_least("a", 0.85, 0.85).stretch(0.9)), "yes");
        assert_eq!(reached(Bar::at_least("a", 0.9, 0.85).stretch(0.9)), "stretch");
        assert_eq!(reached(Bar::at_most("a", 1.16, 1.15).stretch(1.05)), "**no**");
        assert_eq!(reached(Bar::at_most("a", 1.04, 1.15).stretch(1.05)), "stretch");
    }

    #[test]
    fn a_section_is_left_as_markdown_and_its_bars_as_rows() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = Report::new("10-some", "Some");
        report.say("Said.");
        report.table(&Table::new(["", "µs"]).row(["ours", "7.5"]));
        report.bar(Bar::at_most("ours / floor", 1.1, 1.15));
        report.leave_in(folder.path());
        let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            read("10-some.md"),
            "## Some\n\nSaid.\n\n|      |  µs |\n| ---- | --: |\n| ours | 7.5 |\n"
        );
        assert_eq!(
            read("10-some.bars")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            "| ours / floor | 1.10 | ≤ 1.15 | | yes |"
        );
    }
}
