//! How a command speaks to etcd: by flags, the environment, or the configuration of `serve`.

use std::path::PathBuf;

use clap::Args;
use plugin_host::store::EtcdConfig;

/// How etcd is spoken to. Each is the setting of the same name below `policies.etcd`, and its variable is that setting's, so
/// that one environment serves `serve` and the commands.
#[derive(Args, Debug)]
pub(super) struct EtcdArgs {
    /// The authorities that etcd's certificate may be from, as PEM; with it etcd is spoken to with TLS (policies.etcd.ca_file)
    #[arg(long = "etcd-ca-file", value_name = "FILE")]
    #[arg(env = "PORTCULLIS_POLICIES__ETCD__CA_FILE", hide_env_values = true)]
    ca_file: Option<PathBuf>,
    /// The certificate to show to etcd, which takes its common name for the user (policies.etcd.certificate_file)
    #[arg(long = "etcd-certificate-file", value_name = "FILE")]
    #[arg(env = "PORTCULLIS_POLICIES__ETCD__CERTIFICATE_FILE", hide_env_values = true)]
    certificate_file: Option<PathBuf>,
    /// The private key of that certificate (policies.etcd.key_file)
    #[arg(long = "etcd-key-file", value_name = "FILE")]
    #[arg(env = "PORTCULLIS_POLICIES__ETCD__KEY_FILE", hide_env_values = true)]
    key_file: Option<PathBuf>,
    /// The user, where etcd tells users by passwords (policies.etcd.user)
    #[arg(long = "etcd-user", value_name = "NAME")]
    #[arg(env = "PORTCULLIS_POLICIES__ETCD__USER", hide_env_values = true)]
    user: Option<String>,
    /// The file with that user's password (policies.etcd.password_file)
    #[arg(long = "etcd-password-file", value_name = "FILE")]
    #[arg(env = "PORTCULLIS_POLICIES__ETCD__PASSWORD_FILE", hide_env_values = true)]
    password_file: Option<PathBuf>,
}

impl EtcdArgs {
    /// These over what the configuration says.
    pub(super) fn over(&self, mut config: EtcdConfig) -> EtcdConfig {
        let files = [
            (&self.ca_file, &mut config.ca_file),
            (&self.certificate_file, &mut config.certificate_file),
            (&self.key_file, &mut config.key_file),
            (&self.password_file, &mut config.password_file),
        ];
        for (given, setting) in files {
            if let Some(file) = given {
                setting.clone_from(file);
            }
        }
        if let Some(user) = &self.user {
            config.user.clone_from(user);
        }
        config
    }
}
