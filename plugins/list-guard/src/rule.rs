//! The rule itself: what the two lists say of each subject, and what follows from it.

use portcullis_policy::prelude::*;
use portcullis_policy::{Decision, HIGHEST_SCORE, Outcome, Payment, Request, Subject, message};

/// What is looked up for one kind of subject.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) subject: Subject,
    /// As in the codes of reasons.
    name: &'static str,
    /// As in the messages for people.
    title: &'static str,
    /// The feature that tells whether it is blocked.
    pub(crate) blocked: &'static str,
    /// The feature that tells whether it is allowed.
    pub(crate) allowed: &'static str,
}

/// Every subject that the lists are asked about, in the order of the reasons.
pub(crate) const ENTRIES: [Entry; 5] = [
    Entry {
        subject: Subject::Card,
        name: "card",
        title: "card",
        blocked: "card_blocked",
        allowed: "card_allowed",
    },
    Entry {
        subject: Subject::Email,
        name: "email",
        title: "email address",
        blocked: "email_blocked",
        allowed: "email_allowed",
    },
    Entry {
        subject: Subject::Ip,
        name: "ip",
        title: "IP address",
        blocked: "ip_blocked",
        allowed: "ip_allowed",
    },
    Entry {
        subject: Subject::Device,
        name: "device",
        title: "device",
        blocked: "device_blocked",
        allowed: "device_allowed",
    },
    Entry {
        subject: Subject::Customer,
        name: "customer",
        title: "customer",
        blocked: "customer_blocked",
        allowed: "customer_allowed",
    },
];

/// What the lists say of one subject that the payment has.
#[derive(Clone, Copy, Debug)]
struct Finding {
    entry: &'static Entry,
    blocked: Option<bool>,
    allowed: Option<bool>,
}

/// What the lists say of a payment.
#[derive(Debug)]
pub(crate) struct Findings(Vec<Finding>);

/// Reads the features of a request.
///
/// # Errors
///
/// When a feature is not in the descriptor.
pub(crate) fn look_up(request: &Request) -> Result<Findings, String> {
    let mut findings = Vec::with_capacity(ENTRIES.len());
    for entry in &ENTRIES {
        let (blocked, allowed) = (request.listed(entry.blocked)?, request.listed(entry.allowed)?);
        // A list that answers knows better than this policy whether there was something to look up.
        if blocked.is_some() || allowed.is_some() || has_subject(&request.payment, entry.subject) {
            findings.push(Finding {
                entry,
                blocked,
                allowed,
            });
        }
    }
    Ok(Findings(findings))
}

fn has_subject(payment: &Payment, subject: Subject) -> bool {
    let customer = payment.customer.as_ref();
    let device = payment.device.as_ref();
    match subject {
        Subject::Card => payment.card.is_some(),
        Subject::Email => customer.is_some_and(|customer| customer.email.is_some()),
        Subject::Customer => customer.is_some_and(|customer| customer.id.is_some()),
        Subject::Ip => device.is_some_and(|device| device.ip.is_some()),
        Subject::Device => device.is_some_and(|device| device.id.is_some()),
        Subject::Merchant => true,
    }
}

/// The outcome for lists that could not be looked up, from its parameter.
///
/// # Errors
///
/// When it is neither `approve` nor `review`.
pub(crate) fn outcome(text: &str) -> Result<Outcome, String> {
    match text {
        "approve" => Ok(Outcome::Approve),
        "review" => Ok(Outcome::Review),
        _ => Err(message!(
            "parameter when_unavailable is \"",
            text,
            "\", expected approve or review"
        )),
    }
}

impl Findings {
    /// The subjects whose block list could not be looked up, for the signal; nothing when all were.
    pub(crate) fn missing(&self) -> Option<String> {
        let mut missing = String::new();
        for finding in self.unknown() {
            if !missing.is_empty() {
                missing.push_str(", ");
            }
            missing.push_str(finding.entry.name);
        }
        (!missing.is_empty()).then_some(missing)
    }

    /// A block declines; else an unknown block list has the outcome that the operator chose; else the payment passes.
    pub(crate) fn decide(&self, when_unavailable: Outcome) -> Decision {
        let mut decision = Decision::approve();
        for Finding { entry, .. } in self.0.iter().filter(|finding| finding.blocked == Some(true)) {
            decision = decision.and(Decision::decline().score(HIGHEST_SCORE).reason(
                message!("list.blocked.", entry.name),
                message!("the ", entry.title, " is on the block list"),
            ));
        }
        for Finding { entry, .. } in self.0.iter().filter(|finding| finding.allowed == Some(true)) {
            decision = decision.reason(
                message!("list.allowed.", entry.name),
                message!("the ", entry.title, " is on the allow list"),
            );
        }
        if when_unavailable > Outcome::Approve {
            for Finding { entry, .. } in self.unknown() {
                decision = decision.and(Decision::of(when_unavailable).reason(
                    message!("list.unavailable.", entry.name),
                    message!("the block list could not be asked about the ", entry.title),
                ));
            }
        }
        decision
    }

    fn unknown(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.blocked.is_none())
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::testing::{card, customer, device, payment, request, signals};
    use portcullis_policy::{Customer, Policy};

    use super::*;
    use crate::ListGuard;

    #[test]
    fn a_subject_that_the_payment_does_not_have_is_not_missed() {
        let descriptor = ListGuard::describe();
        let decision = ListGuard::evaluate(&request(&descriptor, payment().build()).build());
        assert_eq!(decision, Ok(Decision::approve()));
        let empty = payment().customer(customer()).device(device()).build();
        let decision = ListGuard::evaluate(&request(&descriptor, empty).build());
        assert_eq!(decision, Ok(Decision::approve()));
        assert!(signals().is_empty());
    }

    #[test]
    fn a_block_list_that_could_not_be_asked_is_signalled() {
        let known = Customer {
            email: Some("a@example.com".to_owned()),
            ..customer()
        };
        let payment = payment().card(card()).customer(known).build();
        let descriptor = ListGuard::describe();
        let request = request(&descriptor, payment).listed("card_allowed", true).build();
        let decision = ListGuard::evaluate(&request).unwrap();
        assert_eq!(decision.outcome, Outcome::Approve);
        assert_eq!(
            signals(),
            [("list.unavailable".to_owned(), "card, email".to_owned())]
        );
    }

    #[test]
    fn a_block_beats_every_allowance() {
        let descriptor = ListGuard::describe();
        let mut builder = request(&descriptor, payment().build()).listed("ip_blocked", true);
        for entry in &ENTRIES {
            builder = builder.listed(entry.allowed, true);
        }
        let decision = ListGuard::evaluate(&builder.build()).unwrap();
        assert_eq!(
            (decision.outcome, decision.score),
            (Outcome::Decline, HIGHEST_SCORE)
        );
        assert_eq!(decision.reasons.len(), 6);
    }

    #[test]
    fn the_outcome_is_one_of_two() {
        assert_eq!(outcome("approve"), Ok(Outcome::Approve));
        assert_eq!(outcome("review"), Ok(Outcome::Review));
        assert!(outcome("decline").unwrap_err().contains("\"decline\""));
    }
}
