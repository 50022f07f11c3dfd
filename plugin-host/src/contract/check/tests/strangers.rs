//! Types that are made to be hard on whoever looks at them, and components that tell little of themselves.

use super::*;

/// A component with these declarations that exports two functions, `evaluate` of which takes `$taken`.
fn taking(declarations: &str) -> Vec<u8> {
    wat::parse_str(format!(
        "(component {declarations}
            (import \"lifted\" (func $lifted (param \"request\" $taken)))
            (import \"described\" (func $described))
            (export \"evaluate\" (func $lifted)) (export \"describe\" (func $described)))"
    ))
    .unwrap()
}

fn told(component: &[u8]) -> String {
    checked(component).unwrap_err().to_string()
}

#[test]
fn a_type_that_doubles_at_every_level_is_looked_at_no_deeper_than_the_contract() {
    let mut declarations = "(type $t0 (tuple u8 u8))".to_owned();
    // As far as the validator lets a type grow.
    for level in 1..12 {
        declarations.push_str(&format!(
            "(type $t{level} (tuple $t{} $t{}))",
            level - 1,
            level - 1
        ));
    }
    declarations.push_str("(type $doubled (record (field \"payment\" $t11) (field \"features\" (list u8)) (field \"parameters\" u8)))");
    declarations.push_str("(import \"taken\" (type $taken (eq $doubled)))");
    let message = told(&taking(&declarations));
    assert!(
        message.contains("evaluate.request.payment: expected record payment, found tuple")
            && message.contains("evaluate.request.features[]: expected record feature, found u8")
            && message.contains("evaluate.request.parameters: expected list, found u8"),
        "{message}"
    );
}

#[test]
fn a_record_of_many_long_names_is_told_in_a_few_short_ones() {
    let name = "x".repeat(10_000);
    let fields: String = (0..900)
        .map(|index| format!("(field \"{name}{index}\" u8)"))
        .collect();
    let declarations = format!("(type $many (record {fields})) (import \"taken\" (type $taken (eq $many)))");
    let message = told(&taking(&declarations));
    assert!(message.contains(&format!("{}…", "x".repeat(120))), "{message}");
    assert!(message.ends_with(" more") && message.len() < 4_000, "{message}");
}

#[test]
fn a_component_that_imports_nothing_is_held_against_the_version_that_it_comes_closest_to() {
    // The types are written out: nothing is imported from the contract.
    for version in ContractVersion::ALL {
        let mut contract = version.wit().replace("world risk-policy {", "world unused {");
        contract.push_str("\ninterface inlined {}\n");
        assert!(contract.contains(version.package()));
        let component = mutations::inlined(version);
        assert_eq!(checked(&component), Ok(version));
        assert_eq!(mutations::linked(&component, version), Ok(()));
    }
}

#[test]
fn a_component_of_two_versions_at_once_is_refused() {
    let both = wat::parse_str(
        "(component (import \"portcullis:policy/types@0.1.0\" (instance)) (import \"portcullis:policy/host@0.2.0\" (instance)))",
    )
    .unwrap();
    let message = told(&both);
    assert!(
        message.starts_with("was built for `portcullis:policy@0.1.0` and `portcullis:policy@0.2.0` at once"),
        "{message}"
    );
}

#[test]
fn an_import_that_only_bears_the_name_of_an_interface_is_forbidden() {
    for (import, item) in [
        ("portcullis:policy/host@0.1.0", "(func)"),
        ("wasi:cli/exit@0.2.0", "(func)"),
        ("thing", "(type (sub resource))"),
        ("wasi:cli/exit@0.3.0", "(instance)"),
        ("wasi:keyvalue/store@0.2.0", "(instance)"),
    ] {
        let component = wat::parse_str(format!("(component (import \"{import}\" {item}))")).unwrap();
        let message = told(&component);
        assert!(
            message.starts_with(&format!("imports `{import}`, which a policy may not use: ")),
            "{message}"
        );
    }
}

#[test]
fn a_resource_in_an_interface_of_the_contract_is_told() {
    let component = wat::parse_str(
        "(component (import \"portcullis:policy/host@0.1.0\" (instance (type $byte u8)
            (export \"handle\" (type (sub resource))) (export \"level\" (type (eq $byte))))))",
    );
    let message = told(&component.unwrap());
    assert!(
        message.contains("at host.handle: expected nothing of this name, found a resource"),
        "{message}"
    );
}

#[test]
fn an_asynchronous_function_is_no_function_of_the_contract() {
    for declaration in [
        // Asked for, and offered under the name of one of the contract's.
        "(import \"portcullis:policy/host@0.1.0\" (instance (export \"log\" (func async))))",
        "(import \"described\" (func $described async)) (export \"describe\" (func $described))",
    ] {
        let component = wat::parse_str(format!("(component {declaration})")).unwrap();
        let refused = refused(&component);
        assert_eq!(refused.code(), "not_compilable", "{refused}");
        let message = refused.to_string();
        assert!(message.contains("async"), "{message}");
    }
}
