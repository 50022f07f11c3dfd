//! `portcullis policy …`

mod build;
mod diff;
mod etcd;
mod gc;
mod history;
mod inspect;
mod keygen;
mod list;
mod promote;
mod publishing;
mod push;
mod render;
mod retire;
mod rollback;
mod sign;
mod status;
mod test;
mod trial;
mod waiting;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use plugin_host::authoring::Workbench;
use plugin_host::document::PolicyName;
use plugin_host::manifest::Manifest;
use plugin_host::signing::{SigningKey, TrustedKeys, key_file};
use plugin_host::store::{EtcdConfig, PolicyArchive, StoreLocation};
use std::sync::Arc;

use self::etcd::EtcdArgs;
pub(super) use self::render::table;
use super::OutputFormat;
use crate::config::{self, Config, Overrides};

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Compile a policy's crate to a component that carries its golden cases, and check it as a node would
    Build(build::BuildArgs),
    /// Show what an artifact is made of, and whether a node would take it
    Inspect(inspect::InspectArgs),
    /// Run the golden cases of artifacts as a node would, and show what came of each
    Test(test::TestArgs),
    /// Make a key that signs policies
    Keygen(keygen::KeygenArgs),
    /// Check policies as a node would, and publish them together
    Push(push::PushArgs),
    /// Add a signature to documents that are published: a second pair of eyes, or a new key beside the old one
    Sign(sign::SignArgs),
    /// List what the store says should be in force
    List(list::ListArgs),
    /// Show what each node runs, what it refused and why, and whether that is what the store says
    Status(status::StatusArgs),
    /// Show what differs between two documents of a policy, or between a file and the store
    Diff(diff::DiffArgs),
    /// Show what ran under a policy's name before
    History(history::HistoryArgs),
    /// Let a candidate decide about more payments, or about all
    Promote(promote::PromoteArgs),
    /// Drop a candidate, or bring back an older release
    Rollback(rollback::RollbackArgs),
    /// Take a policy out of force
    Retire(retire::RetireArgs),
    /// Delete artifacts that nothing needs, and the far end of histories
    Gc(gc::GcArgs),
}

/// Which store a command speaks to.
#[derive(Args, Debug)]
pub(super) struct StoreArgs {
    /// The policy store: `dir:PATH` or `etcd://host:port,…[/prefix]`; default: the one that `serve` would follow, which is
    /// policies.store of the configuration
    #[arg(long, value_name = "STORE")]
    store: Option<StoreLocation>,
    /// The configuration file, as for `serve`; with it, or without --store, documents are also held against the keys that it
    /// trusts
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    etcd: EtcdArgs,
}

/// Which keys sign.
#[derive(Args, Debug)]
pub(super) struct KeyArgs {
    /// A private key to sign with, as `policy keygen` or openssl makes one; can be given several times
    #[arg(long = "key", value_name = "FILE")]
    key_files: Vec<PathBuf>,
}

/// What every command takes that writes to the store.
#[derive(Args, Debug)]
pub(super) struct WriteArgs {
    /// Check everything, show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// How a command writes what it found.
#[derive(Args, Debug)]
pub(super) struct OutputArgs {
    /// `text` for people, `json` for scripts
    #[arg(long = "output", value_name = "FORMAT", value_enum, default_value_t)]
    format: OutputFormat,
}

pub(super) fn run(command: PolicyCommand) -> anyhow::Result<u8> {
    match command {
        PolicyCommand::Build(args) => super::runtime()?.block_on(build::run(args)),
        PolicyCommand::Inspect(args) => super::runtime()?.block_on(inspect::run(args)),
        PolicyCommand::Test(args) => super::runtime()?.block_on(test::run(args)),
        PolicyCommand::Keygen(args) => keygen::run(&args),
        PolicyCommand::Push(args) => super::runtime()?.block_on(push::run(args)),
        PolicyCommand::Sign(args) => super::runtime()?.block_on(sign::run(args)),
        PolicyCommand::List(args) => super::runtime()?.block_on(list::run(args)),
        PolicyCommand::Status(args) => super::runtime()?.block_on(status::run(args)),
        PolicyCommand::Diff(args) => Ok(diff::run(args)),
        PolicyCommand::History(args) => super::runtime()?.block_on(history::run(args)),
        PolicyCommand::Promote(args) => super::runtime()?.block_on(promote::run(args)),
        PolicyCommand::Rollback(args) => super::runtime()?.block_on(rollback::run(args)),
        PolicyCommand::Retire(args) => super::runtime()?.block_on(retire::run(args)),
        PolicyCommand::Gc(args) => super::runtime()?.block_on(gc::run(args)),
    }
}

impl KeyArgs {
    fn read(&self) -> anyhow::Result<Vec<SigningKey>> {
        let keys = self.key_files.iter();
        let keys = keys.map(|file| key_file::read_signing_key(file));
        keys.collect::<Result<_, _>>().context("--key")
    }
}

impl StoreArgs {
    /// The configuration, where it is asked for or nothing else names the store.
    fn load_config(&self) -> anyhow::Result<Option<Config>> {
        if self.store.is_some() && self.config.is_none() {
            return Ok(None);
        }
        let variables = super::environment()?;
        let overrides = Overrides {
            variables,
            ..Overrides::default()
        };
        Ok(Some(config::load(self.config.as_deref(), &overrides)?))
    }

    /// Where the store is, and how etcd is spoken to where it is one.
    fn location(&self) -> anyhow::Result<(StoreLocation, EtcdConfig)> {
        let config = self.load_config()?;
        let etcd = config.as_ref().map(|config| config.policies.etcd.clone());
        let etcd = self.etcd.over(etcd.unwrap_or_default());
        match (&self.store, config) {
            (None, Some(config)) => Ok((config.policies.store.parse().context("policies.store")?, etcd)),
            (Some(store), _) => Ok((store.clone(), etcd)),
            (None, None) => anyhow::bail!("name the store with --store"),
        }
    }

    /// Whom the nodes trust, as far as it is known here: nobody in particular without a configuration.
    fn trusted(&self) -> anyhow::Result<TrustedKeys> {
        match self.load_config()? {
            Some(config) => Ok(config.policies.signatures.trusted_keys()?),
            None => Ok(TrustedKeys::default()),
        }
    }

    /// The policies that the nodes may not be without, as far as they are known here.
    fn required(&self) -> anyhow::Result<Vec<String>> {
        let config = self.load_config()?;
        Ok(config.map(|config| config.policies.required).unwrap_or_default())
    }

    /// Opens the store to write to it; a folder is made when it is missing.
    async fn open(&self) -> anyhow::Result<Arc<dyn PolicyArchive>> {
        let (location, etcd) = self.location()?;
        Ok(location.open_archive(&etcd).await?)
    }

    /// Opens the store to read from it. A folder that is missing is an error: most likely its path has a slip.
    async fn open_existing(&self) -> anyhow::Result<Arc<dyn PolicyArchive>> {
        let (location, etcd) = self.location()?;
        if let StoreLocation::Directory(path) = &location {
            anyhow::ensure!(
                path.is_dir(),
                "{location}: there is no such folder; name the store with --store"
            );
        }
        Ok(location.open_archive(&etcd).await?)
    }
}

/// A policy's name, as an argument.
fn policy_name(text: &str) -> Result<PolicyName, String> {
    PolicyName::parse(text).map_err(|error| error.to_string())
}

/// What a node does at load, on this machine.
fn workbench() -> anyhow::Result<Workbench> {
    Ok(Workbench::new(super::compile::command())?)
}

/// Reads a file of at most so many bytes.
fn read(path: &Path, max_bytes: u64) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    anyhow::ensure!(metadata.is_file(), "{shown} is no file");
    anyhow::ensure!(
        metadata.len() <= max_bytes,
        "{shown} has {} bytes, expected at most {max_bytes}",
        metadata.len()
    );
    std::fs::read(path).with_context(|| format!("cannot read {shown}"))
}

fn read_manifest(path: &Path) -> anyhow::Result<Manifest> {
    /// The largest manifest taken; the parser has a bound of its own on what it says.
    const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;
    let bytes = read(path, MAX_MANIFEST_BYTES)?;
    let shown = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{shown}: expected UTF-8"))?;
    Ok(Manifest::parse(&shown, &text)?)
}

/// The manifest beside an artifact or in a folder, where none is named.
fn manifest_beside(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).join("policy.toml")
}
