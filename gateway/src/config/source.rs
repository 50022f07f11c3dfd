//! Where a setting can come from besides the file: the environment and the command line.

use toml::Value;

/// What every variable of ours begins with.
const PREFIX: &str = "PORTCULLIS_";

/// The variable that names the file; it is no setting.
pub(super) const FILE_VARIABLE: &str = "PORTCULLIS_CONFIG";

/// Where a setting was made, for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The configuration file.
    File(String),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One setting outside the file.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    /// The value as it was given.
    pub(super) text: String,
    pub(super) origin: Origin,
}

impl Setting {
    /// Takes the value for a text. Says whether it was not one before.
    pub(super) fn read_as_text(&mut self) -> bool {
        let changes = !self.value.is_str();
        self.value = Value::String(self.text.clone());
        changes
    }
}

/// What the caller's environment and command line say, as they are.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Names and values of the environment; others than ours are passed over.
    pub variables: Vec<(String, String)>,
    /// `section.key=value`, as given to `--set`, in their order; the last one wins.
    pub settings: Vec<String>,
    /// Settings with a flag of their own: the flag, the path, the text.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

impl Overrides {
    /// The settings of the environment, then those of the command line: later ones win.
    pub(super) fn settings(&self) -> Result<Vec<Setting>, String> {
        let mut settings = Vec::new();
        for (name, text) in &self.variables {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            if name == FILE_VARIABLE {
                continue;
            }
            let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
            if path.len() < 2 || path.iter().any(String::is_empty) {
                return Err(format!(
                    "environment variable {name}: expected {PREFIX}SECTION__KEY, such as {PREFIX}HTTP__LISTEN, or {FILE_VARIABLE}"
                ));
            }
            settings.push(Setting {
                path,
                value: value(text),
                text: text.clone(),
                origin: Origin::Variable(name.clone()),
            });
        }
        for text in &self.settings {
            let wrong =
                || format!("--set {text}: expected SECTION.KEY=VALUE, such as http.listen=127.0.0.1:8080");
            let (path, raw) = text.split_once('=').ok_or_else(wrong)?;
            let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
            if path.len() < 2 || path.iter().any(String::is_empty) {
                return Err(wrong());
            }
            settings.push(Setting {
                path,
                value: value(raw.trim()),
                text: raw.trim().to_owned(),
                origin: Origin::Flag(format!("--set {text}")),
            });
        }
        for (flag, path, text) in &self.flags {
            let path = path.split('.').map(str::to_owned).collect();
            let value = Value::String(text.clone());
            settings.push(Setting {
                path,
                value,
                text: text.clone(),
                origin: Origin::Flag(format!("{flag} {text}")),
            });
        }
        Ok(settings)
    }
}

/// A value as TOML would read it, or else the text itself, so that paths and addresses need no quotes.
fn value(text: &str) -> Value {
    toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| (table.len() == 1).then(|| table.remove("value")).flatten())
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_toml_or_else_plain_text() {
        assert_eq!(value("12"), Value::Integer(12));
        assert_eq!(value("true"), Value::Boolean(true));
        assert_eq!(value("\"12\""), Value::String("12".to_owned()));
        assert_eq!(value("127.0.0.1:80"), Value::String("127.0.0.1:80".to_owned()));
        assert_eq!(value("dir:/a b"), Value::String("dir:/a b".to_owned()));
        assert_eq!(value("1\nother = 2"), Value::String("1\nother = 2".to_owned()));
    }

    #[test]
    fn a_variable_without_a_key_is_refused() {
        let variables = vec![("PORTCULLIS_LISTEN".to_owned(), "x".to_owned())];
        let error = Overrides {
            variables,
            ..Overrides::default()
        }
        .settings()
        .unwrap_err();
        assert!(error.contains("PORTCULLIS_HTTP__LISTEN"), "{error}");
    }
}
