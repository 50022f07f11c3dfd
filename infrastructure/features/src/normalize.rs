//! One spelling for what is the same.

use std::borrow::Cow;
use std::net::IpAddr;

use domain::feature::Subject;

/// The spelling under which a subject's value is counted and listed.
pub(crate) fn normalize(subject: Subject, value: &str) -> Cow<'_, str> {
    match subject {
        // To the letter of RFC 5321 the part before the `@` may tell upper from lower case; no provider does.
        Subject::Email if value.chars().any(char::is_uppercase) => Cow::Owned(value.to_lowercase()),
        Subject::Ip => match parse_ip(value) {
            Some(ip) => Cow::Owned(ip.to_string()),
            None => Cow::Borrowed(value),
        },
        _ => Cow::Borrowed(value),
    }
}

/// An address, with IPv4 inside IPv6 (`::ffff:192.0.2.1`) taken for what it is.
pub(crate) fn parse_ip(value: &str) -> Option<IpAddr> {
    value.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_are_one_in_any_case() {
        assert_eq!(normalize(Subject::Email, "Ada@Example.COM"), "ada@example.com");
        assert_eq!(normalize(Subject::Email, "ÄDA@example.com"), "äda@example.com");
        assert_eq!(normalize(Subject::Customer, "Ada"), "Ada");
    }

    #[test]
    fn addresses_are_one_in_any_spelling() {
        assert_eq!(normalize(Subject::Ip, "2001:DB8:0:0::1"), "2001:db8::1");
        assert_eq!(normalize(Subject::Ip, "::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(normalize(Subject::Ip, "unknown"), "unknown");
    }
}
