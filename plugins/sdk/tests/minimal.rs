//! A complete policy fits on half a screen, and the one that the documents show is the one that compiles.

const MINIMAL: &str = include_str!("../examples/minimal.rs");

#[test]
fn the_shortest_policy_has_fewer_than_25_lines() {
    assert!(MINIMAL.lines().count() < 25);
}

#[test]
fn the_readme_shows_the_policy_that_compiles() {
    assert!(include_str!("../../README.md").contains(MINIMAL));
}
