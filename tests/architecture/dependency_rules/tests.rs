//! The workspace as it is, and made-up ones that break each rule.

use super::graph::{Crate, Dependency, Kind, workspace};
use super::{OWNERS, Owner, RULES, Rule, findings, plugins};
use crate::repository::{self, SourceFile};
use crate::{Finding, assert_none};

#[test]
fn the_crates_depend_on_each_other_as_the_table_says() {
    assert_none(&findings(&workspace().unwrap(), RULES, OWNERS));
}

#[test]
fn policies_know_nothing_of_the_gateway() {
    let manifests: Vec<SourceFile> = repository::files(&["Cargo.toml"])
        .unwrap()
        .into_iter()
        .filter(|file| file.path.starts_with("plugins/"))
        .collect();
    assert!(
        manifests.len() > 1,
        "no manifest under plugins/: the policies have moved, and this check must follow them"
    );
    assert_none(&plugins::findings(&manifests, &workspace().unwrap()));
}

const SMALL: &[Rule] = &[
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
        name: "testkit",
        normal: &["application"],
        development: &[],
    },
];

const SMALL_OWNERS: &[Owner] = &[Owner {
    external: "wasmtime",
    owners: &["plugin-host"],
    reason: "the sandbox has one wrapper",
}];

fn member(name: &str, dependencies: &[(&str, Kind)]) -> Crate {
    Crate {
        name: name.to_owned(),
        manifest: format!("{name}/Cargo.toml"),
        manifest_text: dependencies
            .iter()
            .map(|(name, _)| format!("{name}.workspace = true\n"))
            .collect(),
        dependencies: dependencies
            .iter()
            .map(|&(name, kind)| Dependency {
                name: name.to_owned(),
                kind,
            })
            .collect(),
    }
}

/// A workspace that keeps `SMALL`, with these dependencies added to the crate of that name.
fn small_with(name: &str, added: &[(&str, Kind)]) -> Vec<Finding> {
    let mut crates = vec![
        member("domain", &[]),
        member(
            "application",
            &[
                ("domain", Kind::Normal),
                ("testkit", Kind::Development),
                ("serde", Kind::Normal),
            ],
        ),
        member("testkit", &[("application", Kind::Normal)]),
    ];
    for one in &mut crates {
        if one.name == name {
            *one = Crate {
                dependencies: [one.dependencies.clone(), member(name, added).dependencies].concat(),
                ..one.clone()
            };
        }
    }
    findings(&crates, SMALL, SMALL_OWNERS)
}

#[test]
fn a_workspace_that_keeps_the_rules_has_no_finding() {
    assert_eq!(small_with("nobody", &[]), []);
}

#[test]
fn an_arrow_that_the_table_does_not_have_is_found_and_named() {
    let found = small_with("testkit", &[("domain", Kind::Normal)]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place, "testkit/Cargo.toml");
    assert!(
        found[0].problem.contains("`testkit` → `domain` (normal)"),
        "{}",
        found[0].problem
    );
    assert!(
        found[0].remedy.contains("port of `application`"),
        "{}",
        found[0].remedy
    );
}

#[test]
fn a_finding_names_the_line_of_the_manifest() {
    let crates = [member(
        "api",
        &[("serde", Kind::Normal), ("wasmtime", Kind::Normal)],
    )];
    let rules = [Rule {
        name: "api",
        normal: &[],
        development: &[],
    }];
    assert_eq!(
        findings(&crates, &rules, SMALL_OWNERS)[0].place,
        "api/Cargo.toml:2"
    );
}

#[test]
fn an_arrow_for_development_is_no_arrow_for_the_product() {
    let found = small_with("application", &[("testkit", Kind::Normal)]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].problem.contains("`application` → `testkit` (normal)"),
        "{}",
        found[0].problem
    );
}

#[test]
fn a_build_script_has_no_arrows() {
    assert_eq!(small_with("application", &[("domain", Kind::Build)]).len(), 1);
}

#[test]
fn an_arrow_of_the_table_that_nobody_uses_is_found() {
    let found = findings(&[member("application", &[])], &SMALL[1..2], &[]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].problem.contains("in the table and not in the manifest"),
        "{}",
        found[0].problem
    );
}

#[test]
fn the_domain_has_no_dependency_of_any_kind() {
    for kind in [Kind::Normal, Kind::Development, Kind::Build] {
        let found = small_with("domain", &[("proptest", kind)]);
        assert_eq!(found.len(), 1, "{kind}");
        assert!(
            found[0].problem.contains("depends on nothing"),
            "{}",
            found[0].problem
        );
    }
}

#[test]
fn an_external_crate_is_named_by_its_owner_only() {
    let found = small_with("application", &[("wasmtime", Kind::Development)]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].problem.contains("the sandbox has one wrapper"),
        "{}",
        found[0].problem
    );
    assert!(found[0].remedy.contains("plugin-host"), "{}", found[0].remedy);
}

#[test]
fn a_crate_without_a_rule_and_a_rule_without_a_crate_are_found() {
    let crates = [member("domain", &[]), member("surprise", &[])];
    let problems: Vec<String> = findings(&crates, &SMALL[..2], &[])
        .into_iter()
        .map(|finding| finding.problem)
        .collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].contains("`surprise`") && problems[1].contains("`application`"),
        "{problems:?}"
    );
}

fn policy_with(dependencies: &str) -> Vec<Finding> {
    let manifest = SourceFile {
        path: "plugins/velocity-limit/Cargo.toml".to_owned(),
        text: format!("[package]\nname = \"velocity-limit\"\n\n{dependencies}\n"),
    };
    plugins::findings(&[manifest], &[member("domain", &[])])
}

#[test]
fn a_policy_may_use_the_kit_and_other_peoples_crates() {
    assert_eq!(
        policy_with("[dependencies]\nsdk = { path = \"../sdk\" }\nserde = \"1\""),
        []
    );
}

#[test]
fn a_policy_that_reaches_out_of_its_workspace_is_found() {
    let found = policy_with("[dependencies]\ndomain = { path = \"../../domain\" }");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place, "plugins/velocity-limit/Cargo.toml:5");
    assert!(
        found[0].problem.contains("outside of plugins/"),
        "{}",
        found[0].problem
    );
}

#[test]
fn the_gateways_crates_are_found_by_name_and_in_every_table() {
    for table in [
        "dev-dependencies",
        "build-dependencies",
        "target.'cfg(unix)'.dependencies",
        "workspace.dependencies",
    ] {
        let found = policy_with(&format!(
            "[{table}]\nmoney = {{ package = \"portcullis-domain\", version = \"0.1\" }}"
        ));
        assert_eq!(found.len(), 1, "{table}");
    }
}
