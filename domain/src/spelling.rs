//! One spelling for what is the same: subjects that features count and lists hold.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::feature::Subject;

/// The spelling under which a subject's value is counted and listed: without what nobody sees, so that a value that was
/// copied with its surroundings, or dressed up on purpose, is the same one.
#[must_use]
pub fn normalize(subject: Subject, value: &str) -> Cow<'_, str> {
    let value = seen(value);
    match subject {
        Subject::Email => email(value),
        Subject::Ip => match parse_ip(&value) {
            Some(ip) => Cow::Owned(ip.to_string()),
            None => value,
        },
        _ => value,
    }
}

/// An IP address, none where it is none, with IPv4 inside IPv6 (`::ffff:192.0.2.1`) taken for what it is.
#[must_use]
pub fn parse_ip(value: &str) -> Option<IpAddr> {
    seen(value).parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// To the letter of RFC 5321 the part before the `@` may tell upper from lower case; no provider does. The dot behind a
/// domain only says that the domain is whole.
fn email(value: Cow<'_, str>) -> Cow<'_, str> {
    let is_plain = !value.ends_with('.') && !value.chars().any(char::is_uppercase);
    if is_plain {
        return value;
    }
    let lower = value.to_lowercase();
    match lower.strip_suffix('.') {
        Some(whole) if whole.contains('@') => Cow::Owned(whole.to_owned()),
        _ => Cow::Owned(lower),
    }
}

/// A text without white space round it and without characters that are never seen.
#[must_use]
pub fn seen(value: &str) -> Cow<'_, str> {
    if value.is_ascii() || !value.contains(is_invisible) {
        return Cow::Borrowed(value.trim());
    }
    let visible: String = value.chars().filter(|c| !is_invisible(*c)).collect();
    match visible.trim() {
        trimmed if trimmed.len() == visible.len() => Cow::Owned(visible),
        trimmed => Cow::Owned(trimmed.to_owned()),
    }
}

/// Whether Unicode has it as a format character (`Cf`), or as one that is shown as nothing
/// (`Default_Ignorable_Code_Point` in `DerivedCoreProperties.txt`).
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
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

    #[test]
    fn what_nobody_sees_makes_no_other_value() {
        for odd in [
            " ada@example.com",
            "ada@example.com\u{3000}",
            "ada@\u{200b}example.com",
            "\u{200b} \u{feff}ada@example.com \u{2060}",
            "Ada@Example.com.",
            "a\u{ad}da@example.com. ",
        ] {
            assert_eq!(normalize(Subject::Email, odd), "ada@example.com", "{odd:?}");
        }
        assert_eq!(normalize(Subject::Customer, " c\u{200d}_1\t"), "c_1");
        assert_eq!(normalize(Subject::Ip, " 192.0.2.1\u{200b}"), "192.0.2.1");
    }

    #[test]
    fn what_is_seen_stays() {
        assert_eq!(normalize(Subject::Customer, "李 四."), "李 四.");
        assert_eq!(normalize(Subject::Email, "ada."), "ada.");
    }
}
