//! Signatures by Standard Webhooks 1.0: HMAC-SHA256 over the message's id, the time and the body.

use std::fmt::Write;

use application::ports::WebhookSecret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one signature for each secret, by spaces.
pub(crate) fn sign<'a>(
    secrets: impl Iterator<Item = &'a WebhookSecret>,
    id: &str,
    unix_seconds: u64,
    body: &[u8],
) -> String {
    let mut value = String::new();
    for secret in secrets {
        // A key of any length is taken: there is no error to tell.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose()) else {
            continue;
        };
        mac.update(id.as_bytes());
        mac.update(format!(".{unix_seconds}.").as_bytes());
        mac.update(body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let space = if value.is_empty() { "" } else { " " };
        // Writing to a text does not fail.
        let _written = write!(value, "{space}v1,{signature}");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_implementation_takes_the_signature_of_either_secret() {
        let (new, old) = (WebhookSecret::new([7; 32]), WebhookSecret::new([9; 32]));
        let value = sign([&new, &old].into_iter(), "evt_1", 1_772_353_800, b"{}");
        assert_eq!(value.split(' ').count(), 2);
        for secret in [&new, &old] {
            let text = format!("whsec_{}", STANDARD.encode(secret.expose()));
            let theirs = standardwebhooks::Webhook::new(&text).unwrap();
            let expected = theirs.sign("evt_1", 1_772_353_800, b"{}").unwrap();
            assert!(value.split(' ').any(|signature| signature == expected), "{value}");
        }
    }
}
