//! Which events an endpoint wants, as a column.

use application::ports::EventFilter;
use domain::payment::PaymentEventKind;

/// Kinds by commas; none stands for every one.
pub(crate) fn text(events: &EventFilter) -> Option<String> {
    match events {
        EventFilter::All => None,
        EventFilter::Only(kinds) => {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            Some(names.join(","))
        }
    }
}

/// Nothing where it holds a kind that no gateway wrote.
pub(crate) fn parse(kinds: Option<&str>) -> Option<EventFilter> {
    match kinds {
        None => Some(EventFilter::All),
        Some("") => Some(EventFilter::Only(Vec::new())),
        Some(names) => {
            let kinds = names.split(',').map(PaymentEventKind::parse);
            kinds.collect::<Option<Vec<_>>>().map(EventFilter::Only)
        }
    }
}
