//! The arrows between the crates, held against a table.
//!
//! `ARCHITECTURE.md` draws them; here they are exact. An edge that is not in the table fails the test, and so
//! does an edge of the table that is no longer in a manifest, so that the table can be read as the truth.

mod graph;
mod plugins;
#[cfg(test)]
mod tests;

use graph::{Crate, Kind};

use crate::Finding;

/// What one crate of the workspace may depend on inside the workspace. Crates go by the names of their
/// packages without the prefix `portcullis-`.
struct Rule {
    name: &'static str,
    /// Exactly these, each of them used.
    normal: &'static [&'static str],
    /// These at most, for its own tests.
    development: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        name: "domain",
        normal: &[],
        development: &[],
    },
    Rule {
        name: "application",
        normal: &["domain"],
        development: &["testkit"],
    },
    Rule {
        name: "api",
        normal: &["application", "domain"],
        development: &["testkit"],
    },
    Rule {
        name: "plugin-host",
        normal: &["application", "domain"],
        development: &["testkit"],
    },
    Rule {
        name: "acquirers",
        normal: &["application", "domain"],
        development: &["testkit"],
    },
    Rule {
        name: "features",
        normal: &["application", "domain"],
        development: &["testkit"],
    },
    Rule {
        name: "platform",
        normal: &["application", "domain"],
        development: &["testkit"],
    },
    Rule {
        name: "storage",
        normal: &["application", "domain"],
        development: &["testkit"],
    },
    Rule {
        name: "telemetry",
        normal: &["application", "domain"],
        development: &["testkit"],
    },
    // Its tests send out of a real store: what a restart leaves is the store's to tell.
    Rule {
        name: "webhooks",
        normal: &["application", "domain"],
        development: &["storage", "testkit"],
    },
    Rule {
        name: "gateway",
        normal: &[
            "acquirers",
            "api",
            "application",
            "domain",
            "features",
            "platform",
            "plugin-host",
            "storage",
            "telemetry",
            "webhooks",
        ],
        development: &[],
    },
    Rule {
        name: "testkit",
        normal: &["application", "domain"],
        development: &[],
    },
    Rule {
        name: "tests",
        normal: &["gateway", "testkit"],
        development: &[],
    },
];

/// The crate that has no dependency at all, whatever its kind and wherever it comes from.
const WITHOUT_DEPENDENCIES: &str = "domain";

/// An external crate and the only ones that may name it in their manifests.
struct Owner {
    external: &'static str,
    owners: &'static [&'static str],
    reason: &'static str,
}

const OWNERS: &[Owner] = &[
    Owner {
        external: "wasmtime",
        owners: &["plugin-host"],
        reason: "the sandbox has one wrapper",
    },
    Owner {
        external: "wasm-encoder",
        owners: &["plugin-host"],
        reason: "only the catalog writes components",
    },
    Owner {
        external: "wasmparser",
        owners: &["plugin-host"],
        reason: "only the catalog reads components",
    },
    Owner {
        external: "wit-component",
        owners: &["plugin-host", "tests"],
        reason: "the catalog makes components, and the tests hostile ones",
    },
    Owner {
        external: "wit-parser",
        owners: &["plugin-host"],
        reason: "only the catalog reads the contract",
    },
    Owner {
        external: "wasi-preview1-component-adapter-provider",
        owners: &["plugin-host"],
        reason: "only the catalog makes components",
    },
    Owner {
        external: "etcd-client",
        owners: &["plugin-host"],
        reason: "etcd is one of the policy stores",
    },
    Owner {
        external: "rustls",
        owners: &["acquirers", "plugin-host", "storage", "webhooks"],
        reason: "certificates are read by the adapters that speak TLS",
    },
    Owner {
        external: "hyper-rustls",
        owners: &["acquirers"],
        reason: "the acquirer is spoken to by its adapter",
    },
    Owner {
        external: "ed25519-dalek",
        owners: &["plugin-host"],
        reason: "who signs policies, and whom a node trusts, is decided in one place",
    },
    Owner {
        external: "sm2",
        owners: &["plugin-host"],
        reason: "who signs policies, and whom a node trusts, is decided in one place",
    },
    Owner {
        external: "sha2",
        owners: &["features", "platform", "plugin-host", "webhooks"],
        reason: "digests, card fingerprints, the names of subjects in Redis and signatures of webhooks",
    },
    Owner {
        external: "redis",
        owners: &["features"],
        reason: "Redis is an adapter of the feature port",
    },
    Owner {
        external: "rusqlite",
        owners: &["storage"],
        reason: "SQL stays behind the repository ports",
    },
    Owner {
        external: "tokio-postgres",
        owners: &["storage"],
        reason: "SQL stays behind the repository ports",
    },
    Owner {
        external: "deadpool-postgres",
        owners: &["storage"],
        reason: "SQL stays behind the repository ports",
    },
    Owner {
        external: "jsonschema",
        owners: &["api"],
        reason: "answers are held against the interface's description where they are made",
    },
    Owner {
        external: "axum",
        owners: &["api", "gateway", "tests"],
        reason: "HTTP is parsed and rendered in one place, and a benchmark holds it against the bare framework",
    },
    Owner {
        external: "tracing-subscriber",
        owners: &["telemetry"],
        reason: "one place decides what is logged where",
    },
    Owner {
        external: "uuid",
        owners: &["platform"],
        reason: "identifiers come in through a port",
    },
    Owner {
        external: "clap",
        owners: &["gateway"],
        reason: "the command line is the binary's",
    },
    Owner {
        external: "anyhow",
        owners: &["gateway"],
        reason: "everybody else says what can go wrong, as a type",
    },
];

const HERE: &str = "tests/architecture/dependency_rules.rs";

/// All edges of the workspace that the rules do not allow, and all rules that the workspace has outgrown.
fn findings(crates: &[Crate], rules: &[Rule], owners: &[Owner]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in crates {
        match rules.iter().find(|rule| rule.name == member.name) {
            Some(rule) => check_edges(member, rule, crates, &mut findings),
            None => findings.push(Finding::new(
                &member.manifest,
                format!("`{}` is a crate of the workspace and has no rule", member.name),
                format!("add it to RULES in {HERE} and to ARCHITECTURE.md"),
            )),
        }
        check_owners(member, owners, &mut findings);
        if member.name == WITHOUT_DEPENDENCIES {
            check_emptiness(member, &mut findings);
        }
    }
    for rule in rules
        .iter()
        .filter(|rule| !crates.iter().any(|member| member.name == rule.name))
    {
        findings.push(Finding::new(
            HERE,
            format!(
                "there is a rule for `{}`, which is no crate of the workspace",
                rule.name
            ),
            "take the rule away, or correct its name",
        ));
    }
    findings
}

fn check_edges(member: &Crate, rule: &Rule, crates: &[Crate], findings: &mut Vec<Finding>) {
    let internal = member
        .dependencies
        .iter()
        .filter(|edge| crates.iter().any(|other| other.name == edge.name));
    for edge in internal.clone() {
        let allowed = match edge.kind {
            Kind::Normal => rule.normal,
            Kind::Development => rule.development,
            Kind::Build => &[],
        };
        if !allowed.contains(&edge.name.as_str()) {
            findings.push(Finding::new(
                member.place_of(edge),
                format!(
                    "`{}` → `{}` ({}) is not an arrow of the architecture",
                    member.name, edge.name, edge.kind
                ),
                format!(
                    "remove the dependency and reach what you need through a port of `application`; if the \
                     architecture is to change, change RULES in {HERE} and ARCHITECTURE.md with it"
                ),
            ));
        }
    }
    for &expected in rule.normal {
        if !internal
            .clone()
            .any(|edge| edge.kind == Kind::Normal && edge.name == expected)
        {
            findings.push(Finding::new(
                &member.manifest,
                format!(
                    "`{}` → `{expected}` (normal) is in the table and not in the manifest",
                    member.name
                ),
                format!("take the arrow out of RULES in {HERE} and out of ARCHITECTURE.md"),
            ));
        }
    }
}

fn check_owners(member: &Crate, owners: &[Owner], findings: &mut Vec<Finding>) {
    for edge in &member.dependencies {
        let Some(owner) = owners.iter().find(|owner| owner.external == edge.name) else {
            continue;
        };
        if !owner.owners.contains(&member.name.as_str()) {
            findings.push(Finding::new(
                member.place_of(edge),
                format!(
                    "`{}` names `{}` ({}), which it does not own: {}",
                    member.name, edge.name, edge.kind, owner.reason
                ),
                format!(
                    "use it through its owner ({}); if it is to have another owner, change OWNERS in {HERE}, \
                     deny.toml and ARCHITECTURE.md",
                    owner.owners.join(", ")
                ),
            ));
        }
    }
}

fn check_emptiness(member: &Crate, findings: &mut Vec<Finding>) {
    for edge in &member.dependencies {
        findings.push(Finding::new(
            member.place_of(edge),
            format!(
                "`{}` → `{}` ({}): this crate depends on nothing",
                member.name, edge.name, edge.kind
            ),
            "write it with the standard library, or do it in `application` or an adapter",
        ));
    }
}
