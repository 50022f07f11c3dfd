//! A fleet under load: release after release, on several gateways at once.

use portcullis_tests::publishes::Fleet;

#[test]
fn release_after_release_is_enforced_on_every_gateway_without_a_failed_request_or_a_way_back() {
    const RELEASES: u64 = 50;
    let published = Fleet::start(3).publish(RELEASES, 1);
    assert_eq!(published.enforced.len() as u64, RELEASES);
    assert!(published.payments > 0);
}
