//! Every guest of `plugins/misbehaving` against the real gateway: it gets the fault or the refusal that it should, and nobody
//! else notices.
//!
//! One gateway for each number of worker threads takes all of them, one after the other. What holds for each of them, and is
//! checked after each, is in `scene.rs`; what is expected of each stands in the tables.

mod answering;
mod failing;
mod refused;
mod row;
mod scene;
mod too_complex;
pub(crate) mod vitals;

use std::collections::BTreeSet;

use portcullis_tests::build::repository;
use row::Row;
use scene::Scene;

/// All guests, one after the other.
fn no_guest_harms_anybody(worker_threads: u8) {
    let scene = Scene::start(worker_threads, &[]);
    let tables: [Vec<Row>; 3] = [failing::rows(), answering::rows(), refused::rows()];
    for row in tables.iter().flatten() {
        scene.play(row);
    }
    scene.end();
}

#[test]
fn no_misbehaving_guest_harms_anybody_on_one_worker_thread() {
    no_guest_harms_anybody(1);
}

#[test]
fn no_misbehaving_guest_harms_anybody_on_two_worker_threads() {
    no_guest_harms_anybody(2);
}

#[test]
fn what_a_guest_tells_of_a_payer_is_not_in_the_log() {
    let scene = Scene::start(1, &[]);
    scene.play(&failing::tells_secrets().also(failing::keeps_secrets_out_of_the_log));
    scene.end();
}

/// The files of the guests, such as `wat/fills-memory.wat`.
fn guests() -> BTreeSet<String> {
    let folder = repository().join("plugins/misbehaving");
    let names = |kind: &'static str| {
        let files = std::fs::read_dir(folder.join(kind)).expect("the guests");
        files.map(move |file| {
            let name = file.expect("a guest").file_name();
            format!("{kind}/{}", name.to_string_lossy())
        })
    };
    names("examples").chain(names("wat")).collect()
}

#[test]
fn every_guest_stands_in_a_row() {
    let rows = [failing::rows(), answering::rows(), refused::rows()];
    let played: BTreeSet<String> = rows.iter().flatten().filter_map(Row::file).collect();
    let guests = guests();
    assert!(guests.len() > 50, "{guests:?}");
    let forgotten: Vec<_> = guests.difference(&played).collect();
    assert!(
        forgotten.is_empty(),
        "no gateway meets these guests; give each a row under tests/e2e/misbehaving/: {forgotten:?}"
    );
}

/// Guests that would keep the compiler busy, on a node that gives it little time and memory.
fn no_guest_keeps_the_compiler(worker_threads: u8) {
    let scene = Scene::start(worker_threads, too_complex::SETTINGS);
    for row in &too_complex::rows() {
        scene.play(row);
    }
    scene.end();
}

#[test]
fn no_guest_keeps_the_compiler_of_a_gateway_with_one_worker_thread() {
    no_guest_keeps_the_compiler(1);
}

#[test]
fn no_guest_keeps_the_compiler_of_a_gateway_with_two_worker_threads() {
    no_guest_keeps_the_compiler(2);
}

/// Guests that would have the compiler take all the memory there is, on a node that gives it little, and time enough.
fn no_guest_takes_the_compiler_s_memory(worker_threads: u8) {
    let scene = Scene::start(worker_threads, too_complex::SHORT_OF_MEMORY);
    for row in &too_complex::greedy_rows() {
        scene.play(row);
    }
    scene.end();
}

#[test]
fn no_guest_has_more_memory_compiled_than_a_gateway_with_one_worker_thread_gives() {
    no_guest_takes_the_compiler_s_memory(1);
}

#[test]
fn no_guest_has_more_memory_compiled_than_a_gateway_with_two_worker_threads_gives() {
    no_guest_takes_the_compiler_s_memory(2);
}
