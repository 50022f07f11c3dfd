//! The command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused (an artifact or a document that no node would
//! take), 4 not converged (some node does not run what the store says). `policy diff` ends as diff does.

mod acquirer_simulator;
mod check_config;
mod compile;
mod key;
mod policy;
mod serve;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{self, Config, Overrides};

/// The command ended as it should.
const DONE: u8 = 0;
/// It did not; why is on standard error.
const FAILED: u8 = 1;
/// A node would refuse what was given.
const REFUSED: u8 = 3;
/// Some node does not run what the store says.
const NOT_CONVERGED: u8 = 4;

/// A payment gateway whose risk rules are WebAssembly components, changed in seconds and without a restart.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    arg_required_else_help = true,
    max_term_width = 110
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or Ctrl-C
    Serve(ConfigArgs),
    /// Read the configuration as `serve` would, and say what is wrong
    CheckConfig(ConfigArgs),
    /// Build, look into, publish and list policies
    #[command(subcommand)]
    Policy(Box<policy::PolicyCommand>),
    /// Run an acquirer that moves no money, for tests, with a ledger of what it charged
    AcquirerSimulator(acquirer_simulator::SimulatorArgs),
    /// Make, list, rotate and revoke keys to the HTTP interface
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Compile one component from standard input to standard output; the other commands start this for every policy
    #[command(hide = true)]
    Compile(compile::CompileArgs),
}

/// Where the configuration comes from. Flags win over the environment, that over the file, that over the defaults.
#[derive(Args, Debug)]
struct ConfigArgs {
    /// The configuration file; without it the one PORTCULLIS_CONFIG names, else `portcullis.toml` where it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, such as `http.max_in_flight=100`; can be given several times
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    settings: Vec<String>,
    /// Address and port to listen on (http.listen)
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// The policy store (policies.store): `dir:PATH` or `etcd://host:port,…[/prefix]`
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// The SQLite database (storage.sqlite.path)
    #[arg(long, value_name = "FILE")]
    database: Option<String>,
}

impl ConfigArgs {
    fn load(self) -> anyhow::Result<Config> {
        let flags = [
            ("--listen", "http.listen", self.listen),
            ("--store", "policies.store", self.store),
            ("--database", "storage.sqlite.path", self.database),
        ];
        let flags = flags
            .into_iter()
            .filter_map(|(flag, path, text)| Some((flag, path, text?)))
            .collect();
        let overrides = Overrides {
            variables: environment()?,
            settings: self.settings,
            flags,
        };
        let config = config::load(self.config.as_deref(), &overrides)?;
        config.check().map_err(anyhow::Error::msg)?;
        Ok(config)
    }
}

/// The environment as text. A variable of ours that is not UTF-8 is an error; others are not looked at.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn environment() -> anyhow::Result<Vec<(String, String)>> {
    let ours = |name: &OsString| name.to_string_lossy().starts_with("PORTCULLIS_");
    std::env::vars_os()
        .filter(|(name, _)| ours(name))
        .map(|(name, value)| {
            let text = |text: OsString| text.into_string().ok();
            let shown = name.to_string_lossy().into_owned();
            text(name)
                .zip(text(value))
                .ok_or_else(|| anyhow::anyhow!("environment variable {shown}: expected UTF-8"))
        })
        .collect()
}

/// How a command writes what it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// For people
    #[default]
    Text,
    /// For scripts
    Json,
}

/// Runs the command line of the process.
#[must_use]
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::CheckConfig(args) => check_config::run(args),
        Command::Policy(command) => policy::run(*command),
        Command::AcquirerSimulator(args) => acquirer_simulator::run(args),
        Command::Key(command) => key::run(command),
        Command::Compile(args) => return compile::run(&args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln(&format!("error: {error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

/// Writes a line to standard output. A reader that has gone (`| head`) is no error.
fn println(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Writes a line to standard error.
fn eprintln(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// A runtime for a command that asks the store a few questions.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
