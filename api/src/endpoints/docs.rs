//! `/openapi.json`, `/docs` and `/docs/errors/{code}`. Everything is in the binary: a page needs no other server, and no script.

mod error_pages;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::RequestExt;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::Response;
use bytes::Bytes;

use crate::config::Config;
use crate::openapi;
use crate::problem::{Problem, ProblemCode};
use crate::state::Shared;

/// Nothing is loaded, run, framed or sent anywhere; the page's own style alone is applied.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// What is served, made once.
pub(crate) struct Documentation {
    openapi: Bytes,
    page: Bytes,
}

impl Documentation {
    pub(crate) fn new(config: &Config) -> Self {
        let openapi = serde_json::to_vec(&openapi::document(config)).unwrap_or_default();
        Self {
            openapi: openapi.into(),
            page: page().into(),
        }
    }
}

/// `GET /openapi.json`.
pub(crate) async fn openapi(shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    Ok(served("application/json", shared.documentation.openapi.clone()))
}

/// `GET /docs`.
pub(crate) async fn docs(shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    Ok(served(
        "text/html; charset=utf-8",
        shared.documentation.page.clone(),
    ))
}

/// `GET /docs/errors/{code}`: where the `type` of a problem leads.
pub(crate) async fn error_page(_shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let code = request.extract_parts::<Path<String>>().await;
    let page = code.ok().and_then(|Path(code)| error_pages::of(&code));
    let page =
        page.ok_or_else(|| Problem::new(ProblemCode::NotFound, "There is no error code of this name."))?;
    Ok(served(
        "text/plain; charset=utf-8",
        Bytes::from_static(page.as_bytes()),
    ))
}

fn served(media_type: &'static str, content: Bytes) -> Response {
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Portcullis: the HTTP API</title>\n\
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
code{font-family:ui-monospace,monospace;background:#f2f2f2;padding:0 .2em}h2{margin-top:2.5rem;font-size:1.1rem}\
table{border-collapse:collapse;width:100%}td{border-top:1px solid #ddd;padding:.3rem .6rem;vertical-align:top}\
td:first-child{width:4rem}</style>\n</head>\n<body>\n<h1>Portcullis: the HTTP API</h1>\n\
<p>For programs: <a href=\"/openapi.json\">openapi.json</a>, OpenAPI 3.1, with every field of every body and answer.</p>\n";

/// All that is written into it is this crate's own text.
fn page() -> String {
    let mut page = String::from(HEAD);
    for (operation, rule) in openapi::listed() {
        let _infallible = writeln!(
            page,
            "<h2 id=\"{}\"><code>{} {}</code></h2>\n<p>{}.{}</p>\n<table>",
            operation.id,
            operation.method,
            operation.route,
            operation.summary,
            rule.scope()
                .map(|scope| format!(" Takes the scope <code>{scope}</code>."))
                .unwrap_or_default(),
        );
        for answer in operation.answers {
            let _infallible = writeln!(page, "<tr><td>{}<td>{}", answer.status, answer.description);
        }
        for (status, codes) in openapi::by_status(&operation.problems(rule)) {
            let links: Vec<String> = codes
                .iter()
                .map(|code| format!("<a href=\"/docs/errors/{0}\">{0}</a>", code.as_str()))
                .collect();
            let _infallible = writeln!(page, "<tr><td>{status}<td>{}", links.join(", "));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}
