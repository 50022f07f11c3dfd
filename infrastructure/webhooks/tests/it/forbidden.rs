//! Endpoints that lead where nothing is sent.

use application::ports::DeliveryState;

use crate::receiver::{Behaviour, Receiver};
use crate::scene::Scene;

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    let mut inside = Receiver::start().await;
    let location = inside.url();
    receiver.then([Behaviour::Answer(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
    ))]);
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    receiver.next().await;
    let tried = scene.tried(&endpoint, 1).await;
    let error = tried.attempts[0].error.as_deref();
    assert_eq!(error, Some("answered with 307, and redirects are not followed"));
    assert_eq!(tried.state, DeliveryState::Pending);
    running.stop().await;
    assert!(inside.rest().is_empty());
}

/// The name of an endpoint, all that it leads to, and what comes of it.
async fn sent_to_name(addresses: &[&str], allowed: bool) -> (Option<String>, usize) {
    let mut scene = Scene::new();
    if !allowed {
        scene.config.allowed_networks.clear();
    }
    let mut receiver = Receiver::start().await;
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    scene
        .names
        .0
        .lock()
        .unwrap()
        .insert("shop.example".to_owned(), addresses);
    let url = format!("http://shop.example:{}/in", receiver.address.port());
    let endpoint = scene.endpoint("we_1", &url).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    let tried = scene.tried(&endpoint, 1).await;
    running.stop().await;
    (tried.attempts[0].error.clone(), receiver.rest().len())
}

#[tokio::test]
async fn a_name_that_leads_to_the_loopback_is_refused_unless_that_is_allowed() {
    let refused = Some("the name leads to an address that is not public".to_owned());
    assert_eq!(sent_to_name(&["127.0.0.1"], false).await, (refused.clone(), 0));
    assert_eq!(sent_to_name(&["::ffff:127.0.0.1"], false).await, (refused, 0));
    assert_eq!(sent_to_name(&["127.0.0.1"], true).await, (None, 1));
}

#[tokio::test]
async fn a_name_that_also_leads_inside_is_refused_altogether() {
    let refused = Some("the name leads to an address that is not public".to_owned());
    assert_eq!(sent_to_name(&["127.0.0.1", "10.0.0.1"], true).await, (refused, 0));
}

#[tokio::test]
async fn an_address_that_is_not_allowed_any_more_is_not_connected_to() {
    let mut scene = Scene::new();
    scene.config.allowed_networks.clear();
    let mut receiver = Receiver::start().await;
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    let tried = scene.tried(&endpoint, 1).await;
    let error = tried.attempts[0].error.as_deref();
    assert_eq!(error, Some("expected a name, or an address that is public"));
    running.stop().await;
    assert!(receiver.rest().is_empty());
}
