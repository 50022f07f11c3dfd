//! `portcullis policy build`

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use plugin_host::component;
use plugin_host::digest::Digest;
use plugin_host::golden::{GoldenCases, MAX_GOLDEN_CASES_BYTES};
use serde::Deserialize;
use serde_json::json;

use super::render::{check_against, refused_line};
use super::{OutputArgs, read, read_manifest, workbench};
use crate::cli::{DONE, OutputFormat, REFUSED, eprintln, println};

/// The golden cases of a policy, in its folder.
const GOLDEN_CASES_FILE: &str = "golden-cases.json";

#[derive(Args, Debug)]
pub(in crate::cli) struct BuildArgs {
    /// The folder of the policy: its crate, `golden-cases.json` and `policy.toml`
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// What another toolchain made of FOLDER, a component or a core module; without it cargo compiles the crate
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    wasm: Option<PathBuf>,
    /// The golden cases; default: `golden-cases.json` in FOLDER, where there is one
    #[arg(long, value_name = "FILE")]
    golden_cases: Option<PathBuf>,
    /// Where to write the component; default: `<crate>.wasm` in the working directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What to compile for; a `wasm32-wasip1` module is turned into a component
    #[arg(long, value_enum, default_value_t)]
    target: Target,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Target {
    #[default]
    #[value(name = "wasm32-wasip2")]
    Wasip2,
    #[value(name = "wasm32-wasip1")]
    Wasip1,
}

impl Target {
    const fn triple(self) -> &'static str {
        match self {
            Self::Wasip2 => "wasm32-wasip2",
            Self::Wasip1 => "wasm32-wasip1",
        }
    }
}

pub(super) async fn run(args: BuildArgs) -> anyhow::Result<u8> {
    let built = match &args.wasm {
        Some(wasm) => wasm.clone(),
        None => cargo_build(&args.folder, args.target)?,
    };
    let bytes = read(&built, plugin_host::artifact::MAX_ARTIFACT_BYTES)?;
    let mut component = component::componentize(&bytes)
        .map_err(|error| anyhow::anyhow!("{}: {error}", built.display()))?
        .into_owned();
    let beside = args.folder.join(GOLDEN_CASES_FILE);
    let golden = args.golden_cases.as_ref().unwrap_or(&beside);
    if args.golden_cases.is_some() || golden.exists() {
        let cases = read(golden, MAX_GOLDEN_CASES_BYTES as u64)?;
        GoldenCases::parse(&cases).map_err(|error| anyhow::anyhow!("{}: {error}", golden.display()))?;
        component = component::with_golden_cases(&component, &cases)?;
    }

    let manifest = args.folder.join("policy.toml");
    let manifest = manifest.exists().then(|| read_manifest(&manifest)).transpose()?;
    let checked = workbench()?.load(&component).await.and_then(|policy| {
        let golden_cases = match &manifest {
            Some(manifest) => check_against(&policy, manifest, &component)?,
            None => policy.check_golden_cases()?,
        };
        Ok((policy.contract(), golden_cases))
    });
    let (contract, passed) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            eprintln(&refused_line(&args.folder.display().to_string(), &error));
            return Ok(REFUSED);
        }
    };
    let out = out_file(&args, &built);
    write(&out, &component)?;
    let shown = out.display().to_string();
    let (size, digest, contract) = (component.len(), Digest::of(&component), contract.package());
    match args.output.format {
        OutputFormat::Text => println(&format!(
            "built {shown} for {contract}: {size} bytes, {digest}, {passed} golden cases passed"
        )),
        OutputFormat::Json => println(
            &json!({
                "file": shown,
                "contract": contract,
                "size": size,
                "digest": digest.to_string(),
                "golden_cases": passed,
            })
            .to_string(),
        ),
    }
    Ok(DONE)
}

fn out_file(args: &BuildArgs, built: &Path) -> PathBuf {
    match (&args.out, built.file_name()) {
        (Some(out), _) => out.clone(),
        (None, Some(name)) => PathBuf::from(name),
        (None, None) => PathBuf::from("policy.wasm"),
    }
}

/// Written beside and renamed, so that nobody reads half a component.
fn write(out: &Path, component: &[u8]) -> anyhow::Result<()> {
    let shown = out.display();
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut partial = out.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, component)
        .and_then(|()| std::fs::rename(&partial, out))
        .with_context(|| format!("cannot write {shown}"))
}

/// What cargo says of each artifact, as far as it matters here.
#[derive(Deserialize)]
struct CargoMessage {
    reason: String,
    manifest_path: PathBuf,
    target: CargoTarget,
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct CargoTarget {
    crate_types: Vec<String>,
}

/// Runs cargo in the policy's own folder, so that the configuration beside it (linker flags) is found, and reads from its
/// messages which file came out.
fn cargo_build(folder: &Path, target: Target) -> anyhow::Result<PathBuf> {
    let shown = folder.display();
    anyhow::ensure!(
        folder.join("Cargo.toml").is_file(),
        "{shown} is no crate: it has no Cargo.toml; name what another toolchain made of it with --wasm"
    );
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "build",
            "--release",
            "--target",
            target.triple(),
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    // What is set for the caller's own build is not meant for a policy's.
    for variable in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
    ] {
        cargo.env_remove(variable);
    }
    let output = cargo.output().context("cannot run cargo; is Rust installed?")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo could not build {shown} ({})",
        output.status
    );
    let manifest = folder
        .join("Cargo.toml")
        .canonicalize()
        .with_context(|| format!("cannot read {shown}"))?;
    let wasm = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<CargoMessage>(line).ok())
        .filter(|message| message.reason == "compiler-artifact" && message.manifest_path == manifest)
        .filter(|message| message.target.crate_types.iter().any(|kind| kind == "cdylib"))
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    match wasm {
        Some(wasm) => Ok(wasm),
        None => bail!(
            "{shown} gives no .wasm file; set `crate-type = [\"cdylib\"]` under `[lib]` in its Cargo.toml"
        ),
    }
}
