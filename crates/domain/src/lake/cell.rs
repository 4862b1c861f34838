//! The declared types, and which values they hold.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Micros;

/// The type of a declared column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    String,
    Boolean,
    BigInt,
    /// As SQL has it: `precision` digits (1 to 38), `scale` of them behind the point.
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// An instant, stored as RFC 3339 text.
    Timestamp,
    /// An instant, stored as a number of seconds since 1970.
    TimestampSeconds,
    /// An instant, stored as a number of milliseconds since 1970.
    TimestampMilliseconds,
    /// Any value, as JSON text.
    Json,
}

/// A value as its column holds it. Texts are still JSON: a reader that wants the characters asks [`Cell::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// A JSON string, quotes and escapes included.
    String(&'a str),
    Json(&'a str),
    Boolean(bool),
    BigInt(i64),
    /// The digits without the point; the column knows the scale.
    Decimal(i128),
    Timestamp(Micros),
}

impl<'a> Cell<'a> {
    /// The characters of a text column.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match *self {
            Self::String(json) => string_of(json),
            Self::Json(json) => Some(Cow::Borrowed(json)),
            Self::Boolean(_) | Self::BigInt(_) | Self::Decimal(_) | Self::Timestamp(_) => None,
        }
    }
}

/// A value that fits its column.
pub(super) struct Fit<'a> {
    pub cell: Cell<'a>,
    /// Whether the column gives back the value as it was. A timestamp with an offset is the same instant in another
    /// spelling: the column holds it, and the spelling has to be kept beside it.
    pub exact: bool,
}

impl ColumnType {
    /// The value of this plain JSON in a column of this type; `None` where it is of another type, or where a digit would
    /// be lost.
    pub(super) fn fit(self, json: &str) -> Option<Fit<'_>> {
        let exactly = |cell| Fit { cell, exact: true };
        match self {
            Self::Json => Some(exactly(Cell::Json(json))),
            // An escape may stand for half a character, which is JSON and no text.
            Self::String if json.contains("\\u") => {
                string_of(json).is_some().then_some(exactly(Cell::String(json)))
            }
            Self::String => json.starts_with('"').then_some(exactly(Cell::String(json))),
            Self::Boolean => json.parse().ok().map(|value| exactly(Cell::Boolean(value))),
            Self::BigInt => {
                let whole = unscaled(json, 19, 0)?;
                i64::try_from(whole).ok().map(|value| exactly(Cell::BigInt(value)))
            }
            Self::Decimal { precision, scale } => {
                unscaled(json, precision, scale).map(|value| exactly(Cell::Decimal(value)))
            }
            Self::TimestampSeconds | Self::TimestampMilliseconds => {
                let micros = unscaled(json, 38, self.epoch_scale()?)?;
                Micros::new(i64::try_from(micros).ok()?).map(|value| exactly(Cell::Timestamp(value)))
            }
            Self::Timestamp => {
                let text = string_of(json)?;
                let micros = Micros::from_rfc3339(&text)?;
                Some(Fit { cell: Cell::Timestamp(micros), exact: micros.to_rfc3339() == text })
            }
        }
    }

    /// The plain JSON of a cell of this type: what [`fit`](Self::fit) read, a number in its shortest form.
    #[must_use]
    pub fn json<'a>(self, cell: &Cell<'a>) -> Cow<'a, str> {
        match *cell {
            Cell::String(json) | Cell::Json(json) => Cow::Borrowed(json),
            Cell::Boolean(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Cell::BigInt(value) => Cow::Owned(value.to_string()),
            Cell::Decimal(value) => Cow::Owned(number(value, self.scale())),
            Cell::Timestamp(micros) => Cow::Owned(match self.epoch_scale() {
                Some(scale) => number(i128::from(micros.get()), scale),
                None => format!("\"{}\"", micros.to_rfc3339()),
            }),
        }
    }

    fn scale(self) -> u8 {
        match self {
            Self::Decimal { scale, .. } => scale,
            _ => 0,
        }
    }

    /// How many digits behind the point of an epoch number are microseconds.
    pub(super) fn epoch_scale(self) -> Option<u8> {
        match self {
            Self::TimestampSeconds => Some(6),
            Self::TimestampMilliseconds => Some(3),
            _ => None,
        }
    }
}

/// The characters of a JSON string, borrowed where it has no escapes.
pub(super) fn string_of(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(json).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// A JSON number: its digits without zeros at their end, and the power of ten that the last of them counts.
struct JsonNumber {
    is_negative: bool,
    digits: String,
    power: i32,
}

impl JsonNumber {
    fn of(number: &str) -> Option<Self> {
        let (is_negative, magnitude) = match number.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, number),
        };
        let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (magnitude, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let counting = digits.trim_end_matches('0').len();
        let trailing = i32::try_from(digits.len() - counting).ok()?;
        let power = exponent.checked_add(trailing)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        digits.truncate(counting);
        Some(Self { is_negative, digits, power })
    }

    /// Without zeros at either end; nothing of a zero.
    fn significant(&self) -> &str {
        self.digits.trim_start_matches('0')
    }

    /// Without the power. DynamoDB keeps 38 digits, and as many fit.
    fn value(&self) -> Option<i128> {
        let magnitude: i128 = self.significant().parse().ok()?;
        Some(if self.is_negative { -magnitude } else { magnitude })
    }
}

/// The digits of a JSON number as a decimal of that precision and scale; `None` where it has more, or is no number.
fn unscaled(json: &str, precision: u8, scale: u8) -> Option<i128> {
    let number = JsonNumber::of(json)?;
    if number.significant().is_empty() {
        return Some(0);
    }
    let power = u32::try_from(number.power.checked_add(i32::from(scale))?).ok()?;
    if number.significant().len() + usize::try_from(power).ok()? > usize::from(precision) {
        return None;
    }
    number.value()?.checked_mul(10_i128.checked_pow(power)?)
}

/// A JSON number as a decimal of that scale, where digits behind it are cut: the largest that is not above it.
pub(super) fn floor_unscaled(json: &str, scale: u8) -> Option<i128> {
    let number = JsonNumber::of(json)?;
    if number.significant().is_empty() {
        return Some(0);
    }
    let power = number.power.checked_add(i32::from(scale))?;
    let (value, unit) = (number.value()?, 10_i128.checked_pow(power.unsigned_abs()));
    if power >= 0 {
        return value.checked_mul(unit?);
    }
    // A unit beyond an i128 is above every value.
    Some(unit.map_or(if number.is_negative { -1 } else { 0 }, |unit| value.div_euclid(unit)))
}

/// The shortest JSON number of a decimal.
fn number(unscaled: i128, scale: u8) -> String {
    let digits = unscaled.unsigned_abs().to_string();
    let sign = if unscaled < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no column type: expected string, boolean, bigint, decimal(p,s) with 1 <= p <= 38 and s <= p, timestamp, \
     timestamp_s, timestamp_ms or json"
)]
pub struct ColumnTypeUnknown(String);

impl FromStr for ColumnType {
    type Err = ColumnTypeUnknown;

    fn from_str(text: &str) -> Result<Self, ColumnTypeUnknown> {
        let known = match text {
            "string" => Some(Self::String),
            "boolean" => Some(Self::Boolean),
            "bigint" => Some(Self::BigInt),
            "timestamp" => Some(Self::Timestamp),
            "timestamp_s" => Some(Self::TimestampSeconds),
            "timestamp_ms" => Some(Self::TimestampMilliseconds),
            "json" => Some(Self::Json),
            _ => decimal(text),
        };
        known.ok_or_else(|| ColumnTypeUnknown(text.to_owned()))
    }
}

fn decimal(text: &str) -> Option<ColumnType> {
    let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    ((1..=38).contains(&precision) && scale <= precision).then_some(ColumnType::Decimal { precision, scale })
}

impl fmt::Display for ColumnType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::BigInt => "bigint",
            Self::Timestamp => "timestamp",
            Self::TimestampSeconds => "timestamp_s",
            Self::TimestampMilliseconds => "timestamp_ms",
            Self::Json => "json",
            Self::Decimal { precision, scale } => return write!(formatter, "decimal({precision},{scale})"),
        };
        formatter.write_str(name)
    }
}

impl Serialize for ColumnType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ColumnType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(column_type: &str, json: &str) -> Option<String> {
        let column_type: ColumnType = column_type.parse().unwrap();
        column_type.fit(json).map(|fit| column_type.json(&fit.cell).into_owned())
    }

    #[test]
    fn values_that_fit_come_back() {
        let longest = "99999999999999999999999999999999999999";
        for (column_type, json, back) in [
            ("string", r#""""#, r#""""#),
            ("string", r#""a \"b\" \u00e9""#, r#""a \"b\" \u00e9""#),
            ("boolean", "true", "true"),
            ("bigint", "-9223372036854775808", "-9223372036854775808"),
            ("bigint", "12E+2", "1200"),
            ("bigint", "-0", "0"),
            ("decimal(38,0)", longest, longest),
            (
                "decimal(38,38)",
                "0.00000000000000000000000000000000000001",
                "0.00000000000000000000000000000000000001",
            ),
            ("decimal(38,9)", "1.10", "1.1"),
            ("decimal(10,2)", "-12345678.90", "-12345678.9"),
            ("decimal(10,2)", "0", "0"),
            ("decimal(2,2)", "-0.05", "-0.05"),
            ("timestamp", r#""2026-11-22T07:14:00.25Z""#, r#""2026-11-22T07:14:00.25Z""#),
            ("timestamp_s", "1795331640.000001", "1795331640.000001"),
            ("timestamp_s", "-1", "-1"),
            ("timestamp_ms", "1795331640123", "1795331640123"),
            ("json", r#"{"a":[1.10,null]}"#, r#"{"a":[1.10,null]}"#),
            ("json", "null", "null"),
        ] {
            assert_eq!(round_trip(column_type, json).as_deref(), Some(back), "{column_type} {json}");
        }
    }

    #[test]
    fn values_of_another_type_or_with_more_digits_do_not_fit() {
        for (column_type, json) in [
            ("string", "5"),
            ("string", "null"),
            ("string", "{}"),
            ("string", r#""\ud83e""#),
            ("boolean", r#""true""#),
            ("boolean", "1"),
            ("bigint", "9223372036854775808"),
            ("bigint", "1.5"),
            ("bigint", r#""1""#),
            ("bigint", "null"),
            ("decimal(10,2)", "0.001"),
            ("decimal(10,2)", "123456789"),
            ("decimal(38,9)", "1E+125"),
            ("decimal(38,9)", "1E-130"),
            ("decimal(38,0)", "100000000000000000000000000000000000000"),
            ("decimal(38,9)", "1E99999999999"),
            ("timestamp", "1795331640"),
            ("timestamp", r#""2026-11-22""#),
            ("timestamp_s", "1795331640.0000001"),
            ("timestamp_ms", r#""1795331640""#),
            ("timestamp_s", "1E30"),
        ] {
            assert_eq!(round_trip(column_type, json), None, "{column_type} {json}");
        }
    }

    #[test]
    fn another_spelling_of_an_instant_is_kept_beside_it() {
        let fit = |json| ColumnType::Timestamp.fit(json).unwrap();
        assert!(fit(r#""2026-11-22T07:14:00Z""#).exact);
        let offset = fit(r#""2026-11-22T08:14:00.0+01:00""#);
        assert!(!offset.exact);
        assert_eq!(ColumnType::Timestamp.json(&offset.cell), r#""2026-11-22T07:14:00Z""#);
    }

    #[test]
    fn types_are_written_as_they_are_read() {
        for text in [
            "string",
            "boolean",
            "bigint",
            "decimal(38,9)",
            "timestamp",
            "timestamp_s",
            "timestamp_ms",
            "json",
        ] {
            assert_eq!(text.parse::<ColumnType>().unwrap().to_string(), text);
        }
        for text in
            ["", "String", "int", "decimal", "decimal(39,0)", "decimal(0,0)", "decimal(5,6)", "decimal(5)"]
        {
            assert!(text.parse::<ColumnType>().is_err(), "{text}");
        }
    }
}
