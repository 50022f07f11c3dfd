//! Replaying what is kept, in the tests of the crates that the targets are about: a finding stays fixed without a fuzzer.

use std::path::Path;

/// Gives a target every input of its corpus and every finding that it ever had.
pub fn replay(target: &str, run: fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find_map(|folder| {
            let fuzz = folder.join("fuzz");
            fuzz.join("corpus").is_dir().then_some(fuzz)
        });
    let fuzz = fuzz.expect("the repository has a folder fuzz/corpus");
    let mut replayed = 0;
    for kept in ["corpus", "findings"] {
        let folder = fuzz.join(kept).join(target);
        // Not every target has had a finding.
        for file in std::fs::read_dir(folder).into_iter().flatten() {
            let path = file.expect("the folder can be read").path();
            let input = std::fs::read(&path).expect("the file can be read");
            // Shown where the input makes the test fail.
            println!("{}", path.display());
            run(&input);
            replayed += 1;
        }
    }
    assert!(replayed > 0, "there is nothing kept of {target}");
}
