//! `/openapi.json`, `/docs` and the pages of error codes.

use std::collections::BTreeSet;

use portcullis_api::{Authentication, Config, ProblemCode};
use serde_json::Value;

use crate::caller::{get, post};
use crate::conformance::document;
use crate::fakes::World;

fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(|(method, operation)| (method.to_ascii_uppercase(), path.clone(), operation))
    });
    operations.collect()
}

#[test]
fn every_route_is_in_the_document_and_the_document_has_no_other() {
    let served: BTreeSet<(String, String)> = World::new()
        .api()
        .routes()
        .into_iter()
        .map(|(method, route)| (method.to_owned(), route.to_owned()))
        .collect();
    let described: BTreeSet<_> = operations()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    assert_eq!(described, served);
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    found.insert(reference.clone());
                }
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    references(document(), &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document().pointer(pointer).is_some(), "{reference}");
    }
    for part in ["schemas", "parameters", "headers"] {
        for name in document()["components"][part].as_object().unwrap().keys() {
            assert!(
                found.contains(&format!("#/components/{part}/{name}")),
                "{part}/{name}"
            );
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_every_parameter_of_their_path() {
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations() {
        assert!(names.insert(operation["operationId"].to_string()), "{operation}");
        let parameters: Vec<_> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reference| {
                document()
                    .pointer(&reference["$ref"].as_str().unwrap()[1..])
                    .unwrap()
            })
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let expected: Vec<_> = path.split('/').filter(|part| part.starts_with('{')).collect();
        assert_eq!(parameters, expected, "{method} {path}");
    }
}

#[test]
fn examples_of_bodies_are_taken_by_their_schemas() {
    for (method, path, operation) in operations() {
        let Some(content) = operation.pointer("/requestBody/content/application~1json") else {
            continue;
        };
        let schema = serde_json::json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [content["schema"]],
            "components": document()["components"],
        });
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&content["example"]), "{method} {path}");
    }
}

#[tokio::test]
async fn the_examples_of_payments_and_decisions_are_served() {
    let api = World::new().api();
    for (path, status) in [("/v1/payments", 201), ("/v1/risk/decisions", 200)] {
        let example =
            &document()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"];
        assert_eq!(post(&api, path, example).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_and_says_whether_a_key_is_asked_for() {
    let world = World::new();
    let answer = get(&world.api(), "/openapi.json").await;
    assert_eq!(&answer.json(), document());
    assert_eq!(
        document()["paths"]["/v1/payments"]["get"]["security"],
        serde_json::json!([{}, {"apiKey": []}])
    );
    let keyed = Config {
        authentication: Authentication::Keys,
        ..Config::for_tests()
    };
    let keyed = get(&world.api_with(&keyed), "/openapi.json").await.json();
    assert_eq!(
        keyed["paths"]["/v1/payments"]["get"]["security"],
        serde_json::json!([{"apiKey": []}])
    );
    assert_eq!(
        keyed["paths"]["/healthz"]["get"]["security"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn the_page_needs_no_other_server_and_no_script() {
    let answer = get(&World::new().api(), "/docs").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-security-policy")
            .starts_with("default-src 'none';")
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    for foreign in ["http://", "https://", "//", "<script", "url(", "@import"] {
        assert!(!answer.text.contains(foreign), "{foreign}");
    }
    for (method, path, _) in operations() {
        assert!(
            answer.text.contains(&format!("<code>{method} {path}</code>")),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn the_type_of_every_problem_leads_to_its_page() {
    let api = World::new().api();
    for code in ProblemCode::ALL {
        let page = get(&api, &format!("/docs/errors/{}", code.as_str())).await;
        assert_eq!(page.status, 200, "{code:?}");
        assert!(
            page.text.starts_with(&format!("# `{}`", code.as_str())),
            "{page:?}"
        );
    }
    for none in ["README", "nothing", "..%2FREADME"] {
        let answer = get(&api, &format!("/docs/errors/{none}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().0.as_str()),
            (404, "not_found"),
            "{none}"
        );
    }
}
