//! What one document says otherwise than another, field by field.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Statement;

/// What differs in every two documents and says nothing of what runs.
const OF_PUBLISHING: [&str; 3] = ["sequence", "published_at", "publisher"];

/// A field that two documents do not have alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its path, such as `limits.fuel`.
    pub path: String,
    /// Its value before, as JSON; none where it was not there.
    pub from: Option<Value>,
    /// Its value after; none where it is not there any more.
    pub to: Option<Value>,
}

/// Every field that differs, by path, but for sequence, moment and publisher. From nothing everything is new.
#[must_use]
pub fn changes(from: Option<&Statement>, to: &Statement) -> Vec<FieldChange> {
    let mut before = from.map_or_else(BTreeMap::new, fields);
    let mut after = fields(to);
    for field in OF_PUBLISHING {
        before.remove(field);
        after.remove(field);
    }
    let mut changes: Vec<FieldChange> = Vec::new();
    for (path, value) in &after {
        let from = before.remove(path);
        if from.as_ref() != Some(value) {
            changes.push(FieldChange {
                path: path.clone(),
                from,
                to: Some(value.clone()),
            });
        }
    }
    changes.extend(before.into_iter().map(|(path, value)| FieldChange {
        path,
        from: Some(value),
        to: None,
    }));
    changes.sort_unstable_by(|left, right| left.path.cmp(&right.path));
    changes
}

/// The fields of a document by their paths; a list is one value.
fn fields(statement: &Statement) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    // Cannot fail: a document is written as JSON.
    let value = serde_json::from_slice(&statement.to_json()).unwrap_or_default();
    flatten("", value, &mut fields);
    fields
}

fn flatten(path: &str, value: Value, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let path = if path.is_empty() {
                    name
                } else {
                    format!("{path}.{name}")
                };
                flatten(&path, value, into);
            }
        }
        value => drop(into.insert(path.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::document;
    use super::*;
    use crate::document::{PolicyVersion, Retirement};

    #[test]
    fn what_differs_is_told_by_its_path() {
        let old = document();
        let mut new = old.clone();
        new.sequence += 1;
        new.version = PolicyVersion::parse("9.9.9").unwrap();
        new.limits = crate::document::Limits::MOST;
        let (old, new) = (
            Statement::Release(Box::new(old)),
            Statement::Release(Box::new(new)),
        );
        let paths = |changes: Vec<FieldChange>| -> Vec<String> {
            changes.into_iter().map(|change| change.path).collect()
        };
        assert_eq!(
            paths(changes(Some(&old), &new)),
            [
                "limits.deadline_ms",
                "limits.fuel",
                "limits.memory_bytes",
                "version"
            ]
        );
        let version = changes(Some(&old), &new).pop().unwrap();
        assert_eq!(version.to, Some("9.9.9".into()));
        assert_eq!(changes(Some(&old), &old), []);
        assert!(changes(None, &old).iter().all(|change| change.from.is_none()));
    }

    #[test]
    fn a_retirement_takes_everything_away() {
        let old = document();
        let retirement = Statement::Retirement(Retirement {
            name: old.name.clone(),
            sequence: 9,
            reason: None,
            published_at: old.published_at,
            publisher: old.publisher.clone(),
        });
        let changes = changes(Some(&Statement::Release(Box::new(old))), &retirement);
        let retired = changes.iter().find(|change| change.path == "retired").unwrap();
        assert_eq!((&retired.from, &retired.to), (&None, &Some(true.into())));
        assert!(
            changes
                .iter()
                .any(|change| change.path == "artifact.digest" && change.to.is_none())
        );
    }
}
