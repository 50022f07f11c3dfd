//! What can be said on the command line.

use std::path::PathBuf;

/// How to run.
pub(crate) struct Arguments {
    /// The folder that benchmarks/guests/build.sh leaves its guests in.
    pub(crate) guests: PathBuf,
    /// Rounds; each row gets one turn in each.
    pub(crate) rounds: usize,
    /// Calls that are timed in a turn.
    pub(crate) calls: usize,
    /// The core that everything is timed on.
    pub(crate) core: usize,
    /// The core of the second thread, where there are two.
    pub(crate) other_core: usize,
    /// The most policies that are hot at the same time. Each is compiled first, at the lowest priority.
    pub(crate) most_hot: usize,
    /// The one part that is measured; none for all of them.
    pub(crate) only: Option<Part>,
}

/// A part of what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Ours beside everything else.
    Compare,
    /// Two threads against one.
    Threads,
    /// Many hot policies against one.
    Hot,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut parsed = Self {
            guests: PathBuf::new(),
            rounds: 5,
            calls: 2_000,
            core: 0,
            other_core: 1,
            most_hot: 100,
            only: None,
        };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("{name}: expected a value"))?;
            let number = || {
                let number = value.parse::<usize>();
                number.map_err(|_| format!("{name}: found `{value}`, expected a number"))
            };
            match name.as_str() {
                "--guests" => parsed.guests = value.into(),
                "--rounds" => parsed.rounds = number()?.max(1),
                "--calls" => parsed.calls = number()?.max(1),
                "--core" => parsed.core = number()?,
                "--other-core" => parsed.other_core = number()?,
                "--most-hot" => parsed.most_hot = number()?.max(1),
                "--only" => parsed.only = Some(part(value)?),
                _ => {
                    return Err(format!(
                        "{name}: unknown; expected --guests FOLDER, --rounds N, --calls N, --core N, --other-core N, \
                         --most-hot N or --only PART"
                    ));
                }
            }
        }
        if parsed.guests.as_os_str().is_empty() {
            return Err("--guests: expected the folder that benchmarks/guests/build.sh fills".to_owned());
        }
        Ok(parsed)
    }

    /// Whether this part is measured.
    pub(crate) fn asks_for(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

fn part(name: &str) -> Result<Part, String> {
    match name {
        "compare" => Ok(Part::Compare),
        "threads" => Ok(Part::Threads),
        "hot" => Ok(Part::Hot),
        _ => Err(format!(
            "--only: found `{name}`, expected compare, threads or hot"
        )),
    }
}
