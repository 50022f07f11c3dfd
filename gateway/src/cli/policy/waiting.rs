//! Waiting for the fleet: what it shows meanwhile, and what it says at the end.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use plugin_host::document::PolicyName;
use plugin_host::fleet::{End, Expected, Followed, NodeView, Standing, follow};
use plugin_host::store::PolicyArchive;
use serde_json::{Value, json};

use super::render::table;
use crate::cli::{DONE, NOT_CONVERGED, eprintln};

/// Whether a command waits, and how long.
#[derive(Args, Debug)]
pub(super) struct WaitArgs {
    /// Wait until every node runs it; end with 4 when one refuses it, or when the time is over, or when no node reports
    #[arg(long)]
    wait: bool,
    /// How long to wait at the most, such as `30s`, `500ms` or `2m`
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    timeout: Duration,
}

impl WaitArgs {
    pub(super) const fn is_asked_for(&self) -> bool {
        self.wait
    }
}

/// A time with its unit, up to a day.
fn duration(text: &str) -> Result<Duration, String> {
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let parsed = units.into_iter().find_map(|(unit, ms)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(ms)
    });
    parsed
        .filter(|ms| (1..=DAY_MS).contains(ms))
        .map(Duration::from_millis)
        .ok_or_else(|| "expected a number and `ms`, `s`, `m` or `h`, up to a day, such as `30s`".to_owned())
}

/// What came of waiting.
pub(super) struct Waited {
    expected: Vec<Expected>,
    followed: Followed,
}

/// Waits until every node has come to what the store says of these policies.
pub(super) async fn wait(
    store: &dyn PolicyArchive,
    names: &[PolicyName],
    args: &WaitArgs,
) -> anyhow::Result<Waited> {
    let mut expected = Vec::with_capacity(names.len());
    for name in names {
        let stored = store.get(name).await?;
        let stored =
            stored.ok_or_else(|| anyhow::anyhow!("`{name}` was deleted by somebody else meanwhile"))?;
        expected.push(
            Expected::of(&stored).map_err(|error| anyhow::anyhow!("`{name}` cannot be read: {error}"))?,
        );
    }
    wait_for(store, expected, args).await
}

/// The same for documents that were read already.
pub(super) async fn wait_for(
    store: &dyn PolicyArchive,
    expected: Vec<Expected>,
    args: &WaitArgs,
) -> anyhow::Result<Waited> {
    let mut progress = Progress::new();
    let followed = follow(store, &expected, args.timeout, |nodes| {
        progress.show(&expected, nodes)
    })
    .await;
    progress.end();
    Ok(Waited {
        followed: followed?,
        expected,
    })
}

/// How a node stands, in a few words.
pub(super) fn standing_text(standing: &Standing) -> String {
    match standing {
        Standing::AsStored => "as stored".to_owned(),
        Standing::Later(sequence) => format!("at the later sequence {sequence}"),
        Standing::Loading => "loading".to_owned(),
        Standing::Behind => "behind".to_owned(),
        Standing::Refused { code, .. } => format!("refused ({code})"),
        Standing::Quarantined { last_fault } => format!("quarantined ({last_fault})"),
        Standing::Gone => "gone from the store".to_owned(),
    }
}

/// The same for scripts.
pub(super) const fn standing_name(standing: &Standing) -> &'static str {
    match standing {
        Standing::AsStored => "as_stored",
        Standing::Later(_) => "later",
        Standing::Loading => "loading",
        Standing::Behind => "behind",
        Standing::Refused { .. } => "refused",
        Standing::Quarantined { .. } => "quarantined",
        Standing::Gone => "gone",
    }
}

fn standing(expected: &Expected, node: &NodeView) -> Standing {
    match &node.status {
        Ok(status) => expected.held_against(status),
        Err(_) => Standing::Behind,
    }
}

/// What is shown on standard error meanwhile: one line that changes on a terminal, a line for each change elsewhere.
struct Progress {
    is_terminal: bool,
    /// How each node stood when it was shown last.
    shown: BTreeMap<(String, String), String>,
    width: usize,
}

impl Progress {
    fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            shown: BTreeMap::new(),
            width: 0,
        }
    }

    fn show(&mut self, expected: &[Expected], nodes: &[NodeView]) {
        let mut now = BTreeMap::new();
        let mut waiting = Vec::new();
        for node in nodes {
            for expected in expected {
                let standing = standing(expected, node);
                let text = standing_text(&standing);
                if !standing.is_settled() {
                    waiting.push(format!("{} {} {text}", node.node, expected.name));
                }
                now.insert((node.node.clone(), expected.name.clone()), text);
            }
        }
        if self.is_terminal {
            let settled = now.len() - waiting.len();
            let next = waiting
                .first()
                .map_or_else(String::new, |first| format!(": {first}"));
            self.draw(&format!("{settled} of {}{next}", now.len()));
        } else {
            for (key, text) in &now {
                if self.shown.get(key) != Some(text) {
                    eprintln(&format!("{}: {} is {text}", key.0, key.1));
                }
            }
        }
        self.shown = now;
    }

    fn draw(&mut self, line: &str) {
        /// Longer lines would wrap, and could not be drawn over.
        const COLUMNS: usize = 78;
        let line: String = line.chars().take(COLUMNS).collect();
        let width = line.chars().count();
        let blank = " ".repeat(self.width.saturating_sub(width));
        self.width = width;
        let mut stderr = std::io::stderr();
        drop(write!(stderr, "\r{line}{blank}"));
        drop(stderr.flush());
    }

    fn end(&mut self) {
        if self.width > 0 {
            self.draw("");
            drop(write!(std::io::stderr(), "\r"));
        }
    }
}

impl Waited {
    pub(super) const fn exit_code(&self) -> u8 {
        match self.followed.end {
            End::Converged => DONE,
            End::Refused | End::TimedOut | End::NoNode => NOT_CONVERGED,
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&NodeView, &Expected, Standing)> {
        self.followed.nodes.iter().flat_map(|node| {
            let of_node = move |expected| (node, expected, standing(expected, node));
            self.expected.iter().map(of_node)
        })
    }

    pub(super) fn text(&self) -> String {
        let seconds = self.followed.elapsed.as_secs_f64();
        let mut lines = Vec::new();
        if !self.followed.nodes.is_empty() {
            let mut rows = vec![
                ["NODE", "POLICY", "SEQUENCE", "STANDS"]
                    .map(str::to_owned)
                    .to_vec(),
            ];
            rows.extend(self.rows().map(|(node, expected, standing)| {
                let (name, sequence) = (expected.name.clone(), expected.sequence.to_string());
                vec![node.node.clone(), name, sequence, standing_text(&standing)]
            }));
            lines.push(table(&rows));
        }
        for (node, expected, standing) in self.rows() {
            if let Standing::Refused { code, message } = standing {
                let (node, name, sequence) = (&node.node, &expected.name, expected.sequence);
                lines.push(format!(
                    "{node} refused {name} sequence {sequence} ({code}): {message}"
                ));
            }
        }
        for node in &self.followed.nodes {
            if let Err(error) = &node.status {
                lines.push(format!("the report of {} cannot be read: {error}", node.node));
            }
        }
        let nodes = self.followed.nodes.len();
        lines.push(match self.followed.end {
            End::Converged => format!("converged: all of {nodes} nodes, after {seconds:.1} s"),
            End::Refused => format!("not converged, after {seconds:.1} s: not every node takes it"),
            End::TimedOut => format!("not converged within {seconds:.1} s"),
            End::NoNode => "not converged: no node reports to the store".to_owned(),
        });
        lines.join("\n")
    }

    pub(super) fn to_json(&self) -> Value {
        let end = match self.followed.end {
            End::Converged => "converged",
            End::Refused => "refused",
            End::TimedOut => "timed_out",
            End::NoNode => "no_node",
        };
        let rows = self.rows().map(|(node, expected, standing)| {
            let error = match &standing {
                Standing::Refused { code, message } => json!({"code": code, "message": message}),
                _ => Value::Null,
            };
            json!({
                "node": node.node,
                "policy": expected.name,
                "sequence": expected.sequence,
                "stands": standing_name(&standing),
                "error": error,
            })
        });
        json!({
            "end": end,
            "converged": self.followed.end == End::Converged,
            "elapsed_ms": u64::try_from(self.followed.elapsed.as_millis()).unwrap_or(u64::MAX),
            "nodes": self.followed.nodes.len(),
            "policies": rows.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)));
        }
        for bad in ["", "30", "s", "-1s", "0s", "25h", "1d", "99999999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
