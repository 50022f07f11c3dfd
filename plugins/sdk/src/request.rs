//! Reading a request: features and parameters by the names that the descriptor gave them.
//!
//! Each accessor answers an error when the descriptor asked for nothing of that name and kind, so that a misspelt name
//! stops the policy instead of passing for a feature that is unavailable.

use alloc::string::String;

use crate::{FeatureValue, ParameterValue, Request, message};

impl Request {
    /// A `count` or `distinct` feature; `None` when it is unavailable.
    ///
    /// # Errors
    ///
    /// When the descriptor asks for no such feature, or for one of another kind.
    pub fn count(&self, name: &str) -> Result<Option<u64>, String> {
        match self.feature(name) {
            Some(FeatureValue::Count(count)) => Ok(Some(*count)),
            Some(FeatureValue::Unavailable) => Ok(None),
            _ => Err(missing("count feature", name)),
        }
    }

    /// An `amount` feature, in minor units of the payment's currency; `None` when it is unavailable.
    ///
    /// # Errors
    ///
    /// When the descriptor asks for no such feature, or for one of another kind.
    pub fn amount(&self, name: &str) -> Result<Option<i64>, String> {
        match self.feature(name) {
            Some(FeatureValue::Amount(amount)) => Ok(Some(*amount)),
            Some(FeatureValue::Unavailable) => Ok(None),
            _ => Err(missing("amount feature", name)),
        }
    }

    /// A `listed` feature; `None` when it is unavailable.
    ///
    /// # Errors
    ///
    /// When the descriptor asks for no such feature, or for one of another kind.
    pub fn listed(&self, name: &str) -> Result<Option<bool>, String> {
        match self.feature(name) {
            Some(FeatureValue::Listed(listed)) => Ok(Some(*listed)),
            Some(FeatureValue::Unavailable) => Ok(None),
            _ => Err(missing("list feature", name)),
        }
    }

    /// A parameter that is a number.
    ///
    /// # Errors
    ///
    /// When the descriptor offers no such parameter, or one of another kind.
    pub fn integer(&self, name: &str) -> Result<i64, String> {
        match self.parameter(name) {
            Some(ParameterValue::Integer(integer)) => Ok(*integer),
            _ => Err(missing("integer parameter", name)),
        }
    }

    /// A parameter that is a text.
    ///
    /// # Errors
    ///
    /// When the descriptor offers no such parameter, or one of another kind.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        match self.parameter(name) {
            Some(ParameterValue::Text(text)) => Ok(text),
            _ => Err(missing("text parameter", name)),
        }
    }

    /// A parameter that is on or off.
    ///
    /// # Errors
    ///
    /// When the descriptor offers no such parameter, or one of another kind.
    pub fn flag(&self, name: &str) -> Result<bool, String> {
        match self.parameter(name) {
            Some(ParameterValue::Flag(flag)) => Ok(*flag),
            _ => Err(missing("flag parameter", name)),
        }
    }

    /// A parameter that is a list of texts.
    ///
    /// # Errors
    ///
    /// When the descriptor offers no such parameter, or one of another kind.
    pub fn texts(&self, name: &str) -> Result<&[String], String> {
        match self.parameter(name) {
            Some(ParameterValue::Texts(texts)) => Ok(texts),
            _ => Err(missing("list parameter", name)),
        }
    }

    /// The value of a feature of any kind; `None` when the descriptor asks for none of this name.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&FeatureValue> {
        self.features
            .iter()
            .find(|feature| feature.name == name)
            .map(|feature| &feature.value)
    }

    /// The value of a parameter of any kind; `None` when the descriptor offers none of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&ParameterValue> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
            .map(|parameter| &parameter.value)
    }
}

#[cold]
fn missing(kind: &str, name: &str) -> String {
    message!("the descriptor has no ", kind, " named ", name)
}

#[cfg(test)]
mod tests {
    use crate::testing::{payment, request};
    use crate::{Descriptor, FeatureValue, Subject, count, listed};

    #[test]
    fn an_unavailable_feature_is_none_and_an_unknown_name_is_an_error() {
        let descriptor = Descriptor::new("a rule")
            .feature("often", count(Subject::Card).within_hours(1))
            .feature("blocked", listed("blocked", Subject::Card));
        let request = request(&descriptor, payment().build())
            .feature("blocked", FeatureValue::Listed(true))
            .build();
        assert_eq!(request.count("often"), Ok(None));
        assert_eq!(request.listed("blocked"), Ok(Some(true)));
        assert_eq!(
            request.count("blocked").unwrap_err(),
            "the descriptor has no count feature named blocked"
        );
        assert_eq!(
            request.amount("sum").unwrap_err(),
            "the descriptor has no amount feature named sum"
        );
    }

    #[test]
    fn parameters_are_read_by_name_and_kind() {
        let descriptor = Descriptor::new("a rule")
            .parameter("number", 5)
            .parameter("text", "a")
            .parameter("flag", true)
            .parameter("texts", ["b", "c"]);
        let request = request(&descriptor, payment().build())
            .parameter("number", 7)
            .build();
        assert_eq!(request.integer("number"), Ok(7));
        assert_eq!(request.text("text"), Ok("a"));
        assert_eq!(request.flag("flag"), Ok(true));
        assert_eq!(request.texts("texts").unwrap(), ["b", "c"]);
        assert_eq!(
            request.flag("number").unwrap_err(),
            "the descriptor has no flag parameter named number"
        );
    }
}
