//! What `push`, `promote`, `rollback` and `retire` have in common: they propose something, publish it, and wait for the fleet.

use std::sync::Arc;

use application::ports::Clock;
use clap::Args;
use plugin_host::authoring::Examination;
use plugin_host::document::{PolicyName, Publisher, Statement, changes};
use plugin_host::publish::{
    Change, Plan, Proposal, PublishError, PublishOutcome, PublishedPolicy, Terms, publish,
};
use plugin_host::signing::{SigningKey, TrustedKeys};
use plugin_host::store::PolicyArchive;
use serde_json::{Value, json};

use super::render::{change_lines, changes_to_json, refused_document, release_line, signers};
use super::waiting::{WaitArgs, Waited, wait};
use super::{WriteArgs, workbench};
use crate::cli::{DONE, OutputFormat, REFUSED, eprintln, println};

/// What every command takes that publishes a document.
#[derive(Args, Debug)]
pub(super) struct PublishArgs {
    /// Who publishes, as the document will say
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    publisher: String,
    #[command(flatten)]
    pub(super) write: WriteArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// Everything that is needed to publish, read and checked.
pub(super) struct Publishing {
    args: PublishArgs,
    publisher: Publisher,
    keys: Vec<SigningKey>,
    trusted: TrustedKeys,
    required: Vec<String>,
    pub(super) examination: Examination,
}

impl Publishing {
    pub(super) fn prepare(args: PublishArgs) -> anyhow::Result<Self> {
        let publisher =
            Publisher::parse(&args.publisher).map_err(|error| anyhow::anyhow!("--publisher: {error}"))?;
        let (keys, trusted) = (args.write.keys.read()?, args.write.store.trusted()?);
        let required = args.write.store.required()?;
        Ok(Self {
            args,
            publisher,
            keys,
            trusted,
            required,
            examination: Examination::on(workbench()?),
        })
    }

    /// Says that what is taken over from the store is signed without a look at whose it is.
    pub(super) fn warn_of_unknown_signers(&self) {
        if !self.keys.is_empty() && self.trusted.names().next().is_none() {
            eprintln(
                "note: no configuration says which keys are trusted, so the signatures on what is taken over from the store were not verified (--config)",
            );
        }
    }

    /// The store: for a dry run and for whoever goes on from what is there, one that is there.
    pub(super) async fn open(&self, must_exist: bool) -> anyhow::Result<Arc<dyn PolicyArchive>> {
        let write = &self.args.write;
        if must_exist || write.dry_run {
            return write.store.open_existing().await;
        }
        write.store.open().await
    }

    /// Publishes what is proposed, waits if that is asked for, and tells what came of it.
    pub(super) async fn run(
        mut self,
        store: &dyn PolicyArchive,
        proposals: &[Proposal],
    ) -> anyhow::Result<u8> {
        let terms = Terms {
            publisher: &self.publisher,
            now: platform::SystemClock.now(),
            signers: &self.keys,
            trusted: &self.trusted,
            required: &self.required,
        };
        let WriteArgs { dry_run, output, .. } = &self.args.write;
        let outcome = if *dry_run {
            let plan = Plan::make(store, proposals, &terms, &mut self.examination).await;
            plan.map(|plan| PublishOutcome {
                revision: None,
                policies: plan.policies,
            })
        } else {
            publish(store, proposals, &terms, &mut self.examination).await
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return refused(error),
        };
        if output.format == OutputFormat::Text {
            println(&text(&outcome, *dry_run, &store.describe()));
        }
        let waited = if self.args.wait.is_asked_for() && !dry_run {
            let names: Vec<PolicyName> = outcome
                .policies
                .iter()
                .map(|policy| policy.name.clone())
                .collect();
            Some(wait(store, &names, &self.args.wait).await?)
        } else {
            None
        };
        match (output.format, &waited) {
            (OutputFormat::Text, Some(waited)) => println(&waited.text()),
            (OutputFormat::Text, None) => {}
            (OutputFormat::Json, _) => println(&to_json(&outcome, *dry_run, waited.as_ref()).to_string()),
        }
        Ok(waited.as_ref().map_or(DONE, Waited::exit_code))
    }
}

/// What a node would refuse is told as a refusal; whatever else went wrong is an error.
fn refused(error: PublishError) -> anyhow::Result<u8> {
    match error {
        PublishError::Refused { name, code, message } => {
            eprintln(&refused_document(name.as_str(), code, &message));
            Ok(REFUSED)
        }
        error => Err(error.into()),
    }
}

fn text(outcome: &PublishOutcome, dry_run: bool, store: &str) -> String {
    let mut lines = Vec::new();
    for policy in &outcome.policies {
        lines.push(line(policy, dry_run));
        // The first document of a policy is all new, and its author has it before him.
        if let Some(before) = policy
            .before
            .as_ref()
            .filter(|_| policy.change == Change::Published)
        {
            lines.extend(change_lines(&changes(Some(before), &policy.after)));
            lines.extend(ended_trial(before, &policy.after));
        }
    }
    if dry_run {
        lines.push("nothing was written (--dry-run); every check passed".to_owned());
    } else if let Some(revision) = outcome.revision {
        lines.push(format!("in {store} at revision {revision}"));
    }
    lines.join("\n")
}

fn line(policy: &PublishedPolicy, dry_run: bool) -> String {
    let verb = match (policy.change, dry_run) {
        (Change::Nothing, _) => "unchanged",
        (Change::Signed, false) => "signed",
        (Change::Signed, true) => "would sign",
        (Change::Published, false) => "published",
        (Change::Published, true) => "would publish",
    };
    let signed = if policy.signed_by.is_empty() {
        String::new()
    } else {
        format!(", signed by {}", signers(&policy.signed_by))
    };
    format!("{verb} {}{signed}", release_line(&policy.after))
}

/// That a trial is over, where a release was published over it that is not its candidate.
fn ended_trial(before: &Statement, after: &Statement) -> Option<String> {
    let (Statement::Release(before), Statement::Release(after)) = (before, after) else {
        return None;
    };
    let candidate = before.candidate.as_ref()?;
    let is_over = after.candidate.is_none() && after.artifact != candidate.artifact;
    is_over.then(|| format!("the trial of {} is over", candidate.version))
}

fn to_json(outcome: &PublishOutcome, dry_run: bool, waited: Option<&Waited>) -> Value {
    let policies: Vec<Value> = outcome.policies.iter().map(entry).collect();
    let mut json = json!({"dry_run": dry_run, "revision": outcome.revision, "policies": policies});
    if let (Some(waited), Some(fields)) = (waited, json.as_object_mut()) {
        fields.insert("fleet".to_owned(), waited.to_json());
    }
    json
}

fn entry(policy: &PublishedPolicy) -> Value {
    let document: Value = serde_json::from_slice(&policy.after.to_json()).unwrap_or_default();
    let release = match &policy.after {
        Statement::Release(document) => Some(document),
        Statement::Retirement(_) => None,
    };
    json!({
        "name": policy.name.as_str(),
        "version": release.map(|release| release.version.as_str()),
        "sequence": policy.sequence,
        "digest": release.map(|release| release.artifact.digest().to_string()),
        "retired": release.is_none(),
        "changed": policy.change != Change::Nothing,
        "changes": changes_to_json(&changes(policy.before.as_ref(), &policy.after)),
        "document": document,
        "signatures": policy.signed_by,
    })
}
