//! The interface described by itself: OpenAPI 3.1, made of the table of who may what, the table of operations, and the codes that
//! problems have. Tests hold every answer that they see against it.

mod lists;
mod operations;
mod parts;
mod requests;
mod responses;

use serde_json::{Map, Value, json};

use crate::access::{ACCESS_RULES, AccessRule, Required};
use crate::config::{Authentication, Config, MetricsAccess};
use crate::problem::ProblemCode;
use operations::{Body, OPERATIONS, Operation};

/// The document, for an interface with these settings.
#[must_use]
pub fn document(config: &Config) -> Value {
    let mut schemas = responses::schemas();
    schemas.extend(requests::schemas());
    schemas.extend(lists::schemas());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portcullis",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A payment gateway whose risk rules are WebAssembly components",
            "description": "JSON over HTTP. Moments are RFC 3339 in UTC with milliseconds. A decline is an outcome, not an error. What is not \
                served is answered with a problem by RFC 9457, whose `code` is stable and has a page under `/docs/errors/`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "payments", "description": "From the first request to the last refund"},
            {"name": "reviews", "description": "Payments that wait for an analyst"},
            {"name": "risk", "description": "Decisions, and the policies that make them"},
            {"name": "lists", "description": "What analysts keep on lists, which policies ask for"},
            {"name": "events", "description": "What happened, in order"},
            {"name": "webhooks", "description": "What happened, sent to a merchant's systems"},
            {"name": "operations", "description": "For operators and orchestrators"},
            {"name": "documentation", "description": "This"},
        ],
        "paths": paths(config),
        "components": {
            "schemas": schemas,
            "parameters": parts::parameters(),
            "headers": parts::headers(),
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "pck_<id>_<secret>",
                    "description": "An API key; see docs/access.md. Not asked for where `http.authentication` is `none`.",
                },
            },
        },
    })
}

fn paths(config: &Config) -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let Some(rule) = crate::access::rule_of(operation.method, operation.route) else {
            continue; // A test sees to it that both tables have the same routes.
        };
        let path = paths.entry(operation.route).or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            path.insert(
                operation.method.to_ascii_lowercase(),
                rendered(operation, rule, config),
            );
        }
    }
    Value::Object(paths)
}

fn rendered(operation: &Operation, rule: &AccessRule, config: &Config) -> Value {
    let mut rendered = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": responses_of(operation, rule),
    });
    let parameters: Vec<Value> = operation
        .parameters
        .iter()
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
        .chain([json!({"$ref": "#/components/parameters/x_request_id"})])
        .collect();
    set(&mut rendered, "parameters", parameters.into());
    if let Some(Body { schema, is_required }) = &operation.body {
        let content = json!({"application/json": {
            "schema": {"$ref": format!("#/components/schemas/{schema}")},
            "example": requests::example(schema),
        }});
        set(
            &mut rendered,
            "requestBody",
            json!({"required": is_required, "content": content}),
        );
    }
    let takes_key = match rule.required {
        Required::Nothing => false,
        Required::Scope(_) => true,
        Required::ScopeUnlessOpen(_) => config.metrics_access == MetricsAccess::Operator,
    };
    let security = match (takes_key, config.authentication) {
        (false, _) => json!([]),
        (true, Authentication::Keys) => json!([{"apiKey": []}]),
        (true, Authentication::None) => json!([{}, {"apiKey": []}]),
    };
    set(&mut rendered, "security", security);
    if let Some(scope) = rule.scope() {
        let roles: Vec<&str> = rule.roles().map(domain::access::Role::as_str).collect();
        let text = format!(
            "Takes a key with the scope `{scope}`, which the roles {} can have.",
            roles.join(", ")
        );
        set(&mut rendered, "description", text.into());
    }
    rendered
}

fn responses_of(operation: &Operation, rule: &AccessRule) -> Value {
    let mut responses = Map::new();
    for answer in operation.answers {
        let schema = match answer.schema {
            "" => json!({"type": "string"}),
            name => json!({"$ref": format!("#/components/schemas/{name}")}),
        };
        let headers: Map<String, Value> = answer
            .headers
            .iter()
            .chain(&["x-request-id"])
            .map(|name| {
                (
                    (*name).to_owned(),
                    json!({"$ref": format!("#/components/headers/{name}")}),
                )
            })
            .collect();
        let mut response = json!({"description": answer.description, "headers": headers});
        if !answer.media_type.is_empty() {
            set(
                &mut response,
                "content",
                json!({(answer.media_type): {"schema": schema}}),
            );
        }
        responses.insert(answer.status.to_string(), response);
    }
    for (status, codes) in by_status(&operation.problems(rule)) {
        let schema = json!({
            "allOf": [
                {"$ref": "#/components/schemas/Problem"},
                {"properties": {
                    "status": {"const": status},
                    "code": {"enum": codes.iter().map(|code| code.as_str()).collect::<Vec<_>>()},
                }},
            ],
        });
        let links: Vec<String> = codes
            .iter()
            .map(|code| format!("[`{0}`](/docs/errors/{0})", code.as_str()))
            .collect();
        let mut headers = json!({"x-request-id": {"$ref": "#/components/headers/x-request-id"}});
        if codes.iter().any(|code| code.retry_after_seconds().is_some()) {
            set(
                &mut headers,
                "Retry-After",
                json!({"$ref": "#/components/headers/Retry-After"}),
            );
        }
        if status == 401 {
            set(
                &mut headers,
                "WWW-Authenticate",
                json!({"$ref": "#/components/headers/WWW-Authenticate"}),
            );
        }
        let description = links.join(", ");
        let problem = json!({"schema": schema, "example": parts::problem_example(codes.first().copied())});
        responses.insert(
            status.to_string(),
            json!({"description": description, "headers": headers, "content": {"application/problem+json": problem}}),
        );
    }
    Value::Object(responses)
}

/// Each status once, in order, with its codes.
pub(crate) fn by_status(codes: &[ProblemCode]) -> Vec<(u16, Vec<ProblemCode>)> {
    let mut statuses: Vec<(u16, Vec<ProblemCode>)> = Vec::new();
    for code in codes {
        let status = code.status().as_u16();
        match statuses.iter_mut().find(|(known, _)| *known == status) {
            Some((_, codes)) if codes.contains(code) => {}
            Some((_, codes)) => codes.push(*code),
            None => statuses.push((status, vec![*code])),
        }
    }
    statuses.sort_unstable_by_key(|(status, _)| *status);
    statuses
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

/// What the page lists: method, path, summary, scope, and the statuses with their descriptions.
pub(crate) fn listed() -> impl Iterator<Item = (&'static Operation, &'static AccessRule)> {
    OPERATIONS.iter().filter_map(|operation| {
        let rule = ACCESS_RULES
            .iter()
            .find(|rule| rule.method == operation.method && rule.route == operation.route)?;
        Some((operation, rule))
    })
}
