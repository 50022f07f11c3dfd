//! `portcullis policy keygen`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use plugin_host::signing::key_file::write_key_pair;
use plugin_host::signing::{Algorithm, PublicKey, SigningKey};
use serde_json::json;

use super::OutputArgs;
use crate::cli::{DONE, OutputFormat, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct KeygenArgs {
    /// What the key signs with
    #[arg(long, value_enum, default_value_t)]
    algorithm: AlgorithmArg,
    /// Where to write it: the private key to PREFIX.key, readable by you alone, and the public one to PREFIX.pub. What is
    /// there is not overwritten
    #[arg(long, value_name = "PREFIX")]
    out: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum AlgorithmArg {
    /// Ed25519
    #[default]
    #[value(name = "ed25519")]
    Ed25519,
    /// SM2 with SM3
    #[value(name = "sm2")]
    Sm2,
}

impl From<AlgorithmArg> for Algorithm {
    fn from(algorithm: AlgorithmArg) -> Self {
        match algorithm {
            AlgorithmArg::Ed25519 => Self::Ed25519,
            AlgorithmArg::Sm2 => Self::Sm2,
        }
    }
}

pub(super) fn run(args: &KeygenArgs) -> anyhow::Result<u8> {
    let key = SigningKey::generate(args.algorithm.into())?;
    let files = write_key_pair(&args.out, &key)?;
    let (private, public) = (files.private.display(), files.public.display());
    let configuration = configuration(&args.out, key.public());
    match args.output.format {
        OutputFormat::Text => println(&format!(
            "made the key {}\n\
             {private} signs: keep it where only its owner can read it, and a copy of it elsewhere\n\
             {public} is for whoever runs gateways; to let one trust the key, put this into its configuration:\n\n\
             {configuration}",
            key.id()
        )),
        OutputFormat::Json => println(
            &json!({
                "keyid": key.id().as_str(),
                "algorithm": key.public().algorithm().name(),
                "private_key_file": private.to_string(),
                "public_key_file": public.to_string(),
                "configuration": configuration,
            })
            .to_string(),
        ),
    }
    Ok(DONE)
}

/// What a gateway's configuration needs to trust the key. The key itself is in it, so that no path has to be right.
fn configuration(prefix: &Path, key: &PublicKey) -> String {
    let name = prefix.file_name().unwrap_or_default().to_string_lossy();
    let name = toml::Value::String(name.into_owned());
    let pem = key.to_pem();
    format!("[[policies.signatures.keys]]\nname = {name}\npublic_key = \"\"\"\n{pem}\"\"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_what_a_configuration_takes() {
        for algorithm in [Algorithm::Ed25519, Algorithm::Sm2] {
            let key = SigningKey::generate(algorithm).unwrap();
            let text = configuration(Path::new("keys/team \"a\""), key.public());
            let config: crate::config::Config = toml::from_str(&text).unwrap();
            let trusted = config.policies.signatures.trusted_keys().unwrap();
            assert_eq!(trusted.names().collect::<Vec<_>>(), ["team \"a\""]);
        }
    }
}
