//! Instants as the lake's files hold them.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Microseconds since 1970-01-01T00:00:00Z, in the years 0 to 9999, which every engine can write and read: all but the
/// last 26 hours of 9999, in which an instant would be of the year 10000 somewhere on earth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(i64);

/// 0000-01-01T00:00:00Z and 9999-12-30T21:59:59.999999Z.
const RANGE: std::ops::RangeInclusive<i64> = -62_167_219_200_000_000..=253_402_207_199_999_999;

impl Micros {
    #[must_use]
    pub fn new(micros: i64) -> Option<Self> {
        RANGE.contains(&micros).then_some(Self(micros))
    }

    /// `None` outside the years 0 to 9999.
    #[must_use]
    pub fn from_second(second: i64) -> Option<Self> {
        second.checked_mul(1_000_000).and_then(Self::new)
    }

    /// Reads an RFC 3339 text; `None` where it is none, or is finer than a microsecond.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let timestamp: Timestamp = text.parse().ok()?;
        (timestamp.subsec_nanosecond() % 1_000 == 0).then(|| Self::containing(timestamp))?
    }

    /// The microsecond that an RFC 3339 text lies in, however fine the text is.
    #[must_use]
    pub fn containing_rfc3339(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::containing)
    }

    fn containing(timestamp: Timestamp) -> Option<Self> {
        i64::try_from(timestamp.as_nanosecond().div_euclid(1_000)).ok().and_then(Self::new)
    }

    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn from_sql(text: &str) -> Option<Self> {
        let civil: DateTime = text.parse().ok()?;
        Self::new(Offset::UTC.to_timestamp(civil).ok()?.as_microsecond())
    }

    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The shortest RFC 3339 text, in UTC: the one form that comes back from a column as it went in.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        format!("{}Z", self.civil())
    }

    /// In UTC.
    #[must_use]
    pub fn civil(self) -> DateTime {
        // The range was checked, so that the fallback is never taken.
        Offset::UTC.to_datetime(Timestamp::from_microsecond(self.0).unwrap_or_default())
    }
}

/// As SQL casts it to a timestamp: `2026-11-22 07:14:00.5`, in UTC.
impl fmt::Display for Micros {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        write!(formatter, "{} {}", civil.date(), civil.time())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for (text, sql) in [
            ("2026-11-22T07:14:00Z", "2026-11-22 07:14:00"),
            ("2026-11-22T07:14:00.5Z", "2026-11-22 07:14:00.5"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999"),
            ("0000-01-01T00:00:00Z", "0000-01-01 00:00:00"),
            ("9999-12-30T21:59:59.999999Z", "9999-12-30 21:59:59.999999"),
        ] {
            let micros = Micros::from_rfc3339(text).expect(text);
            assert_eq!(micros.to_string(), sql);
            assert_eq!(Micros::from_sql(sql), Some(micros));
            assert_eq!(micros.to_rfc3339(), text);
        }
        let offset = Micros::from_rfc3339("2026-11-22T08:14:00+01:00").expect("an offset");
        assert_eq!(offset.to_rfc3339(), "2026-11-22T07:14:00Z");
    }

    #[test]
    fn what_is_no_instant_or_too_fine_is_none() {
        for text in
            ["", "2026-11-22", "2026-11-22T07:14:00", "07:14", "2026-11-22T07:14:00.0000001Z", "1795331640"]
        {
            assert_eq!(Micros::from_rfc3339(text), None, "{text}");
        }
        assert_eq!(Micros::from_second(i64::MAX), None);
        assert_eq!(Micros::from_second(253_402_300_799), None);
    }
}
