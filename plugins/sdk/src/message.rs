//! Messages without the formatting machinery of the standard library, which would be a good part of a small policy.

use alloc::string::String;

/// Joins texts and whole numbers into one `String`: `message!("paid ", count, " times within an hour")`. It does what
/// `format!` does for these, in a fraction of the code.
#[macro_export]
macro_rules! message {
    ($($part:expr),+ $(,)?) => {{
        let mut message = $crate::prelude::String::new();
        $($crate::Part::append_to(&$part, &mut message);)+
        message
    }};
}

/// What [`message!`] can join.
pub trait Part {
    /// Appends this part to a message.
    fn append_to(&self, message: &mut String);
}

impl Part for str {
    fn append_to(&self, message: &mut String) {
        message.push_str(self);
    }
}

impl Part for String {
    fn append_to(&self, message: &mut String) {
        message.push_str(self);
    }
}

impl Part for u64 {
    fn append_to(&self, message: &mut String) {
        append_digits(*self, message);
    }
}

impl Part for i64 {
    fn append_to(&self, message: &mut String) {
        if *self < 0 {
            message.push('-');
        }
        append_digits(self.unsigned_abs(), message);
    }
}

impl Part for u16 {
    fn append_to(&self, message: &mut String) {
        append_digits(u64::from(*self), message);
    }
}

impl Part for u32 {
    fn append_to(&self, message: &mut String) {
        append_digits(u64::from(*self), message);
    }
}

impl<P: Part + ?Sized> Part for &P {
    fn append_to(&self, message: &mut String) {
        P::append_to(self, message);
    }
}

fn append_digits(number: u64, message: &mut String) {
    let mut divisor = 1;
    while number / divisor >= 10 {
        divisor *= 10;
    }
    while divisor > 0 {
        let digit = u8::try_from(number / divisor % 10).unwrap_or_default();
        message.push(char::from(b'0' + digit));
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_written_in_full() {
        assert_eq!(message!("", 0_u64), "0");
        assert_eq!(
            message!(i64::MIN, " to ", i64::MAX),
            "-9223372036854775808 to 9223372036854775807"
        );
        assert_eq!(message!(u64::MAX), "18446744073709551615");
        assert_eq!(message!("x".to_string(), &"y", 10_u16, 109_u32), "xy10109");
    }
}
