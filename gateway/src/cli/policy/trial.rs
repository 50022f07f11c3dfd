//! How a candidate is to be tried, as flags: a stage, a share, and what ends it.

use anyhow::{bail, ensure};
use clap::{Args, ValueEnum};
use plugin_host::document::{Gates, MAX_MINIMUM_EVALUATIONS, MAX_P99_US, Percent, Ratio, Stage};
use plugin_host::manifest::Manifest;
use plugin_host::publish::StageName;

/// A stage by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StageArg {
    /// Run beside payments that do not wait for it, and only compared
    Shadow,
    /// Decides about the payments of a share of all cards
    Canary,
}

impl From<StageArg> for StageName {
    fn from(stage: StageArg) -> Self {
        match stage {
            StageArg::Shadow => Self::Shadow,
            StageArg::Canary => Self::Canary,
        }
    }
}

/// The flags of a trial. Those that are not given are as the manifest has them under `[candidate]`.
#[derive(Args, Debug)]
pub(super) struct TrialArgs {
    /// Publish as a candidate: the release in force stays, and this one is on trial beside it
    #[arg(long)]
    candidate: bool,
    /// How it is tried; default: as the manifest says under `[candidate]`, else shadow
    #[arg(long, value_enum, value_name = "STAGE")]
    stage: Option<StageArg>,
    /// On how many of 100 payments (shadow; default all) or cards (canary)
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    percent: Option<Percent>,
    /// The most faults among its evaluations, 0 to 1
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    max_fault_ratio: Option<Ratio>,
    /// The longest that the quickest 99 of 100 evaluations may take, in microseconds
    #[arg(long, value_name = "MICROSECONDS", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_P99_US)))]
    max_p99_us: Option<u32>,
    /// The most payments about which it may decide otherwise than the release in force, 0 to 1
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    max_decision_drift: Option<Ratio>,
    /// Before so many evaluations on a node nothing is concluded there
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_MINIMUM_EVALUATIONS)))]
    minimum_evaluations: Option<u32>,
}

/// A share in percent, as an argument.
pub(super) fn percent(text: &str) -> Result<Percent, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok();
    number
        .and_then(Percent::new)
        .ok_or_else(|| "expected a number from 0.01 to 100 with at most two decimals".to_owned())
}

fn ratio(text: &str) -> Result<Ratio, String> {
    let number = text.parse().ok();
    number
        .and_then(Ratio::new)
        .ok_or_else(|| "expected a number from 0 to 1 with at most six decimals".to_owned())
}

impl TrialArgs {
    /// Whether a candidate is published.
    pub(super) fn is_asked_for(&self) -> anyhow::Result<bool> {
        let has_flags = self.stage.is_some()
            || self.percent.is_some()
            || self.max_fault_ratio.is_some()
            || self.max_p99_us.is_some()
            || self.max_decision_drift.is_some()
            || self.minimum_evaluations.is_some();
        ensure!(
            self.candidate || !has_flags,
            "a stage, a share and gates are those of a candidate: add --candidate"
        );
        Ok(self.candidate)
    }

    /// Stage and gates: flags over the manifest over the defaults.
    pub(super) fn of(&self, manifest: &Manifest) -> anyhow::Result<(Stage, Gates)> {
        let written = manifest.trial;
        let stage = match (self.stage, self.percent, written.map(|trial| trial.stage)) {
            (None, None, Some(stage)) => stage,
            (None, Some(percent), Some(Stage::Canary(_))) => Stage::Canary(percent),
            (None | Some(StageArg::Shadow), Some(percent), _) => Stage::Shadow(percent),
            (Some(StageArg::Shadow), None, Some(stage @ Stage::Shadow(_))) => stage,
            (None | Some(StageArg::Shadow), None, _) => Stage::Shadow(Percent::ALL),
            (Some(StageArg::Canary), Some(percent), _) => Stage::Canary(percent),
            (Some(StageArg::Canary), None, Some(stage @ Stage::Canary(_))) => stage,
            (Some(StageArg::Canary), None, _) => {
                bail!("a canary needs the share of cards that it decides about, such as --percent 5")
            }
        };
        let gates = written.map_or_else(Gates::default, |trial| trial.gates);
        let gates = Gates {
            max_fault_ratio: self.max_fault_ratio.unwrap_or(gates.max_fault_ratio),
            max_p99_us: self.max_p99_us.or(gates.max_p99_us),
            max_decision_drift: self.max_decision_drift.or(gates.max_decision_drift),
            minimum_evaluations: self.minimum_evaluations.unwrap_or(gates.minimum_evaluations),
        };
        Ok((stage, gates))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        trial: TrialArgs,
    }

    fn of(flags: &str, section: &str) -> anyhow::Result<(Stage, Gates)> {
        let flags = Flags::parse_from(["push"].into_iter().chain(flags.split_whitespace()));
        let manifest =
            format!("name = \"a\"\nversion = \"1\"\nfailure_mode = {{ default = \"review\" }}\n{section}");
        flags
            .trial
            .of(&Manifest::parse("policy.toml", &manifest).unwrap())
    }

    fn share(percent: f64) -> Percent {
        Percent::new(percent).unwrap()
    }

    #[test]
    fn flags_win_over_the_manifest_and_that_over_the_defaults() {
        let canary = "[candidate]\nstage = \"canary\"\npercent = 5\ngates = { max_p99_us = 500 }\n";
        for (flags, section, stage) in [
            ("--candidate", "", Stage::Shadow(Percent::ALL)),
            ("--candidate --percent 20", "", Stage::Shadow(share(20.0))),
            (
                "--candidate --stage canary --percent 0.5%",
                "",
                Stage::Canary(share(0.5)),
            ),
            ("--candidate", canary, Stage::Canary(share(5.0))),
            ("--candidate --percent 20", canary, Stage::Canary(share(20.0))),
            ("--candidate --stage canary", canary, Stage::Canary(share(5.0))),
            ("--candidate --stage shadow", canary, Stage::Shadow(Percent::ALL)),
        ] {
            assert_eq!(of(flags, section).unwrap().0, stage, "{flags} over {section:?}");
        }
        assert!(of("--candidate --stage canary", "").is_err());
        let (_, gates) = of("--candidate --max-fault-ratio 0.5", canary).unwrap();
        assert_eq!(
            (gates.max_p99_us, gates.max_fault_ratio),
            (Some(500), Ratio::new(0.5).unwrap())
        );
    }

    #[test]
    fn a_stage_without_a_candidate_is_a_slip() {
        for (flags, expected) in [
            ("", Some(false)),
            ("--candidate", Some(true)),
            ("--percent 5", None),
        ] {
            let flags = Flags::parse_from(["push"].into_iter().chain(flags.split_whitespace()));
            assert_eq!(flags.trial.is_asked_for().ok(), expected);
        }
    }
}
