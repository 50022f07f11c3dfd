//! The command line of a gateway under test.

use std::path::Path;
use std::process::Command;

use crate::build::portcullis;
use crate::process::Process;

/// The folder of the state that it keeps, in its own.
pub(crate) const STATE: &str = "policy-state";

/// How a gateway is started, and started again.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    /// The policy store.
    pub store: String,
    /// Further settings.
    pub settings: Vec<String>,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
    /// A program and its arguments that become the gateway: it is given the command line behind them.
    pub through: Vec<String>,
}

impl Launch {
    /// Starts it with its data in this folder.
    pub(crate) fn start_in(&self, folder: &Path) -> Process {
        let mut command = match self.through.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(portcullis());
                command
            }
            None => Command::new(portcullis()),
        };
        let within = |name: &str| folder.join(name).display().to_string();
        command
            .current_dir(folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--store", &self.store]);
        command.args(["--database", &within("portcullis.db")]);
        for (key, file) in [
            ("platform.fingerprint_key_path", "card.key"),
            ("policies.state_path", STATE),
        ] {
            command.args(["--set", &format!("{key}={}", within(file))]);
        }
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Process::start(command)
    }
}
