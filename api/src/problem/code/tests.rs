//! Codes, their pages and their names.

use std::collections::HashSet;

use super::*;

#[test]
fn codes_and_titles_are_unique() {
    let codes: HashSet<&str> = ProblemCode::ALL.into_iter().map(ProblemCode::as_str).collect();
    let titles: HashSet<&str> = ProblemCode::ALL.into_iter().map(ProblemCode::title).collect();
    assert_eq!(codes.len(), ProblemCode::ALL.len());
    assert_eq!(titles.len(), ProblemCode::ALL.len());
}

#[test]
fn only_what_is_safe_to_repeat_says_when() {
    for code in ProblemCode::ALL {
        let waits = matches!(
            code,
            ProblemCode::IdempotencyKeyInUse
                | ProblemCode::OperationInFlight
                | ProblemCode::WebhookDeliveryInFlight
        );
        let repeatable = waits || matches!(code.status().as_u16(), 429 | 503);
        assert_eq!(code.retry_after_seconds().is_some(), repeatable, "{code:?}");
    }
}
