//! Secrets of webhook endpoints, from the system's randomness.

use application::ports::{NoRandomness, WEBHOOK_SECRET_BYTES, WebhookSecret, WebhookSecretGenerator};

/// Makes secrets of random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomWebhookSecretGenerator;

impl WebhookSecretGenerator for RandomWebhookSecretGenerator {
    fn webhook_secret(&self) -> Result<WebhookSecret, NoRandomness> {
        let mut bytes = [0; WEBHOOK_SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| NoRandomness {
            reason: error.to_string(),
        })?;
        Ok(WebhookSecret::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_secrets_are_the_same_and_none_is_shown_by_accident() {
        let one = RandomWebhookSecretGenerator.webhook_secret().unwrap();
        let other = RandomWebhookSecretGenerator.webhook_secret().unwrap();
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "WebhookSecret(…)");
    }
}
