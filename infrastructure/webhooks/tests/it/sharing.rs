//! Several deliverers, one after the other and at the same time, and endpoints beside each other.

use std::collections::BTreeSet;

use application::ports::DeliveryState;

use crate::receiver::{Behaviour, Receiver};
use crate::scene::Scene;

#[tokio::test]
async fn after_a_restart_nothing_is_lost_and_nothing_that_was_taken_is_sent_again() {
    let mut scene = Scene::new();
    let mut receiver = Receiver::start().await;
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    receiver.next().await;
    scene.all(&endpoint, 1, DeliveryState::Succeeded).await;
    receiver.then([Behaviour::Close]);
    scene.declined("pay_2").await;
    receiver.next().await;
    scene
        .until(&endpoint, |all| {
            all.len() == 2 && all.iter().all(|one| one.attempts_made == 1)
        })
        .await;
    running.stop().await;
    // While nobody sends.
    scene.declined("pay_3").await;
    scene.reopen().await;
    scene.hours_pass(1);
    let running = scene.start();
    let names = [receiver.next().await, receiver.next().await];
    let names: BTreeSet<_> = names
        .iter()
        .map(|received| received.header("webhook-id").to_owned())
        .collect();
    assert_eq!(
        names,
        BTreeSet::from(["evt_pay_2_1_0".to_owned(), "evt_pay_3_1_0".to_owned()])
    );
    scene.all(&endpoint, 3, DeliveryState::Succeeded).await;
    running.stop().await;
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn a_deliverer_that_vanished_while_it_sent_is_stood_in_for() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    receiver.then([Behaviour::Hang]);
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let entered = runtime.enter();
    let vanishing = scene.start();
    drop(entered);
    scene.declined("pay_1").await;
    receiver.next().await;
    // With all of its tasks, in the middle of the attempt.
    runtime.shutdown_background();
    drop(vanishing);
    let running = scene.start();
    // The claim lapses.
    scene.hours_pass(1);
    receiver.next().await;
    scene.all(&endpoint, 1, DeliveryState::Succeeded).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_deliverers_on_one_store_send_each_delivery_once() {
    const PAYMENTS: usize = 60;
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let deliverers = [scene.start(), scene.start(), scene.start()];
    for number in 0..PAYMENTS {
        scene.declined(&format!("pay_{number}")).await;
    }
    scene.all(&endpoint, PAYMENTS, DeliveryState::Succeeded).await;
    for running in deliverers {
        running.stop().await;
    }
    let received = receiver.rest();
    let names: BTreeSet<_> = received
        .iter()
        .map(|one| one.header("webhook-id").to_owned())
        .collect();
    assert_eq!((received.len(), names.len()), (PAYMENTS, PAYMENTS));
}

#[tokio::test]
async fn an_endpoint_that_hangs_holds_up_no_other() {
    const PAYMENTS: usize = 20;
    let mut scene = Scene::new();
    // The stuck ones are so for longer than the test takes on any machine.
    scene.config.request_timeout_ms = 3_600_000;
    let mut stuck = Receiver::start().await;
    stuck.then(vec![Behaviour::Hang; PAYMENTS]);
    let mut receiver = Receiver::start().await;
    // First by its name, so that it has its turn first.
    let first = scene.endpoint("we_1", &stuck.url()).await;
    let second = scene.endpoint("we_2", &receiver.url()).await;
    // Not stopped: it would wait for the stuck ones. It ends with the test.
    let _running = scene.start();
    for number in 0..PAYMENTS {
        scene.declined(&format!("pay_{number}")).await;
    }
    stuck.next().await;
    scene.all(&second, PAYMENTS, DeliveryState::Succeeded).await;
    // The bound of attempts to one endpoint was kept, and none of them has ended or was begun again.
    let begun = 1 + stuck.rest().len();
    assert!(begun <= scene.config.max_in_flight_per_endpoint, "{begun}");
    let stuck = scene.deliveries(&first).await;
    assert!(stuck.iter().all(|one| one.attempts_made == 0), "{stuck:?}");
    assert_eq!(receiver.rest().len(), PAYMENTS);
}
