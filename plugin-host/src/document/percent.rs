//! Shares, kept as whole numbers: equal ones are equal, and are written with the digits they were read with.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A share of payments or cards, from 0.01 to 100 percent, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

/// A ratio from 0 to 1, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(u32);

impl Percent {
    /// How many hundredths of a percent are all.
    pub const WHOLE: u32 = 10_000;

    /// Everything.
    pub const ALL: Self = Self(Self::WHOLE);

    /// A share in percent; none where it is not 0.01 to 100 with at most two decimals.
    #[must_use]
    pub fn new(percent: f64) -> Option<Self> {
        whole(percent, 100.0, Self::WHOLE)
            .filter(|hundredths| *hundredths > 0)
            .map(Self)
    }

    /// The share in hundredths of a percent, 1 to 10,000.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.0
    }
}

impl Ratio {
    /// The parts of a whole.
    pub const WHOLE: u32 = 1_000_000;

    /// A ratio; none where it is not 0 to 1 with at most six decimals.
    #[must_use]
    pub fn new(ratio: f64) -> Option<Self> {
        whole(ratio, f64::from(Self::WHOLE), Self::WHOLE).map(Self)
    }

    /// A ratio of so many millionths, at most a million.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Self {
        Self(if millionths > Self::WHOLE {
            Self::WHOLE
        } else {
            millionths
        })
    }

    /// The ratio in millionths.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Whether a part is more of a whole than this ratio.
    #[must_use]
    pub fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(Self::WHOLE) > u128::from(whole) * u128::from(self.0)
    }
}

/// `value` times `scale`, where that is a whole number up to `max`.
fn whole(value: f64, scale: f64, max: u32) -> Option<u32> {
    /// How far a decimal fraction that was read as a binary one may be off.
    const ROUNDING: f64 = 1e-6;
    let scaled = value * scale;
    let rounded = scaled.round();
    let fits = (0.0..=f64::from(max)).contains(&rounded) && (scaled - rounded).abs() <= ROUNDING;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to `max`"
    )]
    fits.then_some(rounded as u32)
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 100.0)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / f64::from(Self::WHOLE))
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(100) {
            return serializer.serialize_u32(self.0 / 100);
        }
        serializer.serialize_f64(f64::from(self.0) / 100.0)
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / f64::from(Self::WHOLE))
    }
}

/// A number of JSON that becomes a share.
struct Share<T> {
    expected: &'static str,
    new: fn(f64) -> Option<T>,
}

impl<T> Visitor<'_> for Share<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
        (self.new)(value).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    /// Whole numbers of TOML are signed.
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        match u64::try_from(value) {
            Ok(value) => self.visit_u64(value),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(value), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        u32::try_from(value)
            .ok()
            .and_then(|value| (self.new)(f64::from(value)))
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(Share {
            expected: "a number from 0.01 to 100 with at most two decimals",
            new: Self::new,
        })
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(Share {
            expected: "a number from 0 to 1 with at most six decimals",
            new: Self::new,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_share_is_written_as_it_was_read() {
        for hundredths in 1..=Percent::WHOLE {
            let percent = Percent(hundredths);
            let json = serde_json::to_string(&percent).unwrap();
            assert_eq!(serde_json::from_str::<Percent>(&json).unwrap(), percent, "{json}");
        }
        for millionths in (0..=Ratio::WHOLE).step_by(7) {
            let ratio = Ratio(millionths);
            let json = serde_json::to_string(&ratio).unwrap();
            assert_eq!(serde_json::from_str::<Ratio>(&json).unwrap(), ratio, "{json}");
        }
    }

    #[test]
    fn a_whole_number_of_toml_is_a_share_too() {
        #[derive(Deserialize)]
        struct Shares {
            percent: Percent,
            ratio: Ratio,
        }
        let shares: Shares = toml::from_str("percent = 5\nratio = 1").unwrap();
        assert_eq!(
            (shares.percent, shares.ratio),
            (Percent(500), Ratio(Ratio::WHOLE))
        );
        assert!(toml::from_str::<Shares>("percent = -5\nratio = 1").is_err());
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for bad in ["0", "0.001", "100.01", "-1", "1e300", "\"5\"", "12.345"] {
            assert!(serde_json::from_str::<Percent>(bad).is_err(), "{bad}");
        }
        for bad in ["1.1", "-0.1", "0.0000001", "true"] {
            assert!(serde_json::from_str::<Ratio>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ratio_is_exceeded_from_the_first_part_above_it_on() {
        let one_percent = Ratio::new(0.01).unwrap();
        assert!(!one_percent.is_exceeded_by(1, 100));
        assert!(one_percent.is_exceeded_by(2, 100));
        assert!(!one_percent.is_exceeded_by(0, 0));
        assert!(!Ratio::new(1.0).unwrap().is_exceeded_by(u64::MAX, u64::MAX));
    }
}
