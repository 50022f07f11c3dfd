//! Which versions are compared: those of the lock file that this program was built by.

const LOCK: &str = include_str!("../../Cargo.lock");

/// The peers with their versions, for people.
pub(crate) fn peers() -> String {
    let peers = [
        "extism",
        "regorus",
        "cel",
        "rhai",
        "zen-expression",
        "cedar-policy",
    ];
    peers
        .into_iter()
        .map(|name| format!("{name} {}", version(name)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The version of a crate; the newest, where there are several.
pub(crate) fn version(name: &str) -> &'static str {
    let name = format!("name = \"{name}\"");
    let mut lines = LOCK.lines();
    let mut newest = "unknown";
    while lines.any(|line| line == name) {
        let version = lines.next().and_then(|line| line.strip_prefix("version = "));
        newest = version.map_or(newest, |version| version.trim_matches('"'));
    }
    newest
}
