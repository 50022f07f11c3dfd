//! The floor: a server of the same framework that reads the same JSON into types, writes it again, and does nothing else.

use std::net::Ipv4Addr;

use axum::serve::ListenerExt as _;
use axum::{Json, Router, routing};
use tokio::net::TcpListener;

use super::payload::{Body, Kind};

/// What stands before the address in the line that says that it is up.
pub(crate) const LISTENING: &str = "listening on ";

/// Serves until it is killed, on a runtime like the gateway's.
pub(crate) fn run() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(serve());
}

async fn serve() {
    let echo = || routing::post(|Json(body): Json<Body>| async move { Json(body) });
    let routes = Kind::ALL
        .into_iter()
        .fold(Router::new(), |router, kind| router.route(kind.path(), echo()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    println!("{LISTENING}{}", listener.local_addr().expect("an address"));
    let listener = listener.tap_io(|stream| {
        stream
            .set_nodelay(true)
            .expect("TCP_NODELAY, as the gateway has it");
    });
    axum::serve(listener, routes).await.expect("it serves");
}
