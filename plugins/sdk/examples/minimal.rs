//! The shortest policy there is.
use portcullis_policy::{Decision, Descriptor, Policy, Request, Subject, count, export_policy};

struct VelocityLimit;

impl Policy for VelocityLimit {
    fn describe() -> Descriptor {
        Descriptor::new("Declines a card that pays too often")
            .feature("card_count_1h", count(Subject::Card).attempted().within_hours(1))
            .parameter("max_count", 5)
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        let limit = request.integer("max_count")?;
        match request.count("card_count_1h")? {
            Some(count) if count.cast_signed() > limit => Ok(Decision::decline()
                .score(900)
                .reason("velocity.card.count", "too many payments in an hour")),
            _ => Ok(Decision::approve()),
        }
    }
}

export_policy!(VelocityLimit);
