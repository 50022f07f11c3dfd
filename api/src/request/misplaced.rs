//! Card numbers outside `card.number`: those places are kept, logged and shown to policies.

use domain::CardNumber;

use super::field_errors::FieldErrors;
use super::json::{Json, Object};
use super::path::Path;
use crate::card_shape::{holds_card_number, may_hold, repeats};
use crate::problem::ProblemCode;

/// What is looked for in a field.
#[derive(Clone, Copy)]
enum Search {
    /// The body's own card number, and any other.
    AnyCard,
    /// The body's own card number. For fields where an honest value may look like another one, or is not kept as text:
    /// a merchant's number is often 15 digits that nobody can change, and one in some forty would be refused for ever;
    /// an address is four numbers with dots; an amount becomes a number.
    OwnCard,
}

impl Search {
    fn in_field(self, name: &str) -> Self {
        match name {
            "merchant_id" | "ip" | "amount" => Self::OwnCard,
            _ => self,
        }
    }
}

/// Reports every place of the body that holds a card number and is not `card.number`.
pub(super) fn check(root: &Object<'_>, own: Option<&CardNumber>, errors: &mut FieldErrors) {
    let path = Path::ROOT;
    // Of a body that is refused anyway nothing is kept; it is not worth the longer search.
    let search = if errors.is_empty() {
        Search::AnyCard
    } else {
        Search::OwnCard
    };
    for (position, (name, value)) in root.fields.iter().enumerate() {
        let path = path.entry(name, position);
        match value {
            // Metadata's names are the caller's, and say nothing about what is in it.
            Json::Object(object) if name == "card" || name == "metadata" => {
                let is_number = |field: &str| name == "card" && field == "number";
                for (position, (name, value)) in object.fields.iter().enumerate() {
                    if !is_number(name) {
                        let path = path.entry(name, position);
                        check_entry(name, value, &path, own, search, errors);
                    }
                }
            }
            value => check_entry(name, value, &path, own, search.in_field(name), errors),
        }
    }
}

fn check_entry(
    name: &str,
    value: &Json<'_>,
    path: &Path<'_>,
    own: Option<&CardNumber>,
    search: Search,
    errors: &mut FieldErrors,
) {
    let is_misplaced = |text: &str, search: Search| {
        may_hold(text)
            && (own.is_some_and(|own| repeats(text, own))
                || (matches!(search, Search::AnyCard) && holds_card_number(text)))
    };
    let in_value = matches!(value, Json::Text(text) if is_misplaced(text, search));
    if in_value || is_misplaced(name, search) {
        errors.add(
            ProblemCode::CardNumberMisplaced,
            path,
            "expected a card number in `card.number` alone, found one here",
        );
    }
    if let Json::Array(array) = value {
        for (position, value) in array.items.iter().enumerate() {
            check_entry("", value, &path.entry("", position), own, search, errors);
        }
    }
    if let Json::Object(object) = value {
        for (position, (name, value)) in object.fields.iter().enumerate() {
            let path = path.entry(name, position);
            check_entry(name, value, &path, own, search.in_field(name), errors);
        }
    }
}
