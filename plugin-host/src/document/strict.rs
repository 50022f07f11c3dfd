//! Strict reading of JSON: every error names the path, what was found and what was expected.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, Visitor};

/// The longest message kept of an error, in bytes: what was found is quoted in it, and that may be a whole document.
const MAX_MESSAGE_BYTES: usize = 512;

/// The longest path kept of an error, in bytes: it holds keys that somebody else chose.
const MAX_PATH_BYTES: usize = 256;

/// From this similarity on (Jaro-Winkler, 0 to 1) a known name is offered for an unknown one.
const SIMILAR: f64 = 0.7;

/// What is wrong with a value, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where, such as `limits.fuel`; `.` is the whole text.
    pub path: String,
    /// Line of the text, from 1; 0 where it is not known.
    pub line: usize,
    /// Column of the line, from 1; 0 where it is not known.
    pub column: usize,
    /// What was found and what was expected.
    pub message: String,
}

impl FieldError {
    /// An error of a rule that spans several fields.
    pub(crate) fn at(path: &str, message: impl Into<String>) -> Self {
        Self {
            path: shorten(path, MAX_PATH_BYTES),
            line: 0,
            column: 0,
            message: shorten(&message.into(), MAX_MESSAGE_BYTES),
        }
    }

    /// An error as a deserializer words it, reworded for people.
    pub(crate) fn reworded(path: &str, message: &str) -> Self {
        // Where the text ends too early, the path is not known.
        let path = if path == "?" { "." } else { path };
        Self::at(path, reword(message))
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        if self.path != "." {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for FieldError {}

/// Reads one JSON value and nothing behind it.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        json_error(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| json_error(".", &error))?;
    Ok(value)
}

fn json_error(path: &str, error: &serde_json::Error) -> FieldError {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = text.strip_suffix(&position).unwrap_or(&text);
    FieldError {
        line: error.line(),
        column: error.column(),
        ..FieldError::reworded(path, message)
    }
}

/// Serde says `invalid type: X, expected Y` and `unknown field X, expected one of …`; here it is `found X, expected Y`,
/// and the nearest known name is offered.
fn reword(message: &str) -> String {
    for prefix in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some(rest) = message.strip_prefix(prefix) {
            return format!("found {rest}");
        }
    }
    match nearest_known(message) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message.to_owned(),
    }
}

/// The known name that looks most like the unknown one. Serde's wording puts each in backticks, the unknown one first.
fn nearest_known(message: &str) -> Option<&str> {
    if !message.starts_with("unknown field `") && !message.starts_with("unknown variant `") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    nearest(unknown, quoted)
}

/// Of several known names the one most like another, if any is like it at all.
pub(crate) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

/// At most so many bytes, cut between characters.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let kept = text.get(..text.floor_char_boundary(max)).unwrap_or_default();
    format!("{kept}…")
}

/// A whole number within bounds.
pub(crate) fn bounded<'de, D: Deserializer<'de>>(
    deserializer: D,
    min: u64,
    max: u64,
) -> Result<u64, D::Error> {
    deserializer.deserialize_u64(Bounded { min, max })
}

struct Bounded {
    min: u64,
    max: u64,
}

impl Visitor<'_> for Bounded {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.min, self.max)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        if (self.min..=self.max).contains(&value) {
            Ok(value)
        } else {
            Err(E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        match u64::try_from(value) {
            Ok(value) => self.visit_u64(value),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(value), &self)),
        }
    }
}

/// An object as a sorted map. A key that comes twice is an error, where serde's own maps keep the last; so is one entry
/// more than `MAX`.
pub(crate) fn unique_map<'de, const MAX: usize, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(UniqueMap::<MAX, K, V>(PhantomData))
}

struct UniqueMap<const MAX: usize, K, V>(PhantomData<(K, V)>);

impl<'de, const MAX: usize, K, V> Visitor<'de> for UniqueMap<MAX, K, V>
where
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
{
    type Value = BTreeMap<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of at most {MAX} entries")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key::<K>()? {
            if map.len() == MAX {
                return Err(de::Error::custom(format!(
                    "found more than {MAX} entries, expected at most {MAX}"
                )));
            }
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!(
                    "found `{key}` twice, expected it once"
                )));
            }
            map.insert(key, entries.next_value()?);
        }
        Ok(map)
    }
}
