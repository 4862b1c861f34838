//! FHIR's primitive types as newtypes: a value of one of them is known to be well-formed.
//!
//! Formats: hl7.org/fhir/R4/datatypes.html#primitive.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::change::{Reject, RejectReason};

/// `id`: 1 to 64 letters, digits, `-` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Id<'a>(&'a str);

impl<'a> Id<'a> {
    /// The id in a key of the form `PATIENT#<id>`: what follows the first `#`.
    ///
    /// # Errors
    /// Where that is no FHIR id, or there is no `#`.
    pub fn of_key(key: &'a str, element: &str) -> Result<Self, Reject> {
        let is_id_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        match key.split_once('#') {
            Some((_, id)) if (1..=64).contains(&id.len()) && id.bytes().all(is_id_byte) => Ok(Self(id)),
            _ => Err(Reject::new(RejectReason::IdInvalid, element)),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0
    }
}

/// `string`: not empty, no control characters but tab, carriage return and line feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// A text of the code itself.
    #[must_use]
    pub const fn of_code(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// `None` for a text that is empty or blank, which FHIR does not allow and which says nothing.
    ///
    /// # Errors
    /// Where the text holds a control character.
    pub fn parse(text: Cow<'a, str>, element: &str) -> Result<Option<Self>, Reject> {
        let is_forbidden = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n');
        if text.bytes().any(is_forbidden) {
            return Err(Reject::new(RejectReason::TextInvalid, element));
        }
        Ok((!text.trim().is_empty()).then_some(Self(text)))
    }

    /// # Errors
    /// Where one of the texts holds a control character.
    pub fn parse_all(texts: Vec<Cow<'a, str>>, element: &str) -> Result<Vec<Self>, Reject> {
        texts.into_iter().filter_map(|text| Self::parse(text, element).transpose()).collect()
    }
}

/// `date`: a year, a month or a day, that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Date<'a>(Cow<'a, str>);

impl<'a> Date<'a> {
    /// # Errors
    /// Where the text is no date.
    pub fn parse(text: Cow<'a, str>, element: &str) -> Result<Self, Reject> {
        if is_date(&text) { Ok(Self(text)) } else { Err(Reject::new(RejectReason::DateInvalid, element)) }
    }
}

/// `dateTime`: a [`Date`], or a day with a time and an offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DateTime<'a>(Cow<'a, str>);

impl<'a> DateTime<'a> {
    /// # Errors
    /// Where the text is neither.
    pub fn parse(text: Cow<'a, str>, element: &str) -> Result<Self, Reject> {
        if is_date(&text) || is_instant(&text) {
            Ok(Self(text))
        } else {
            Err(Reject::new(RejectReason::DateInvalid, element))
        }
    }
}

fn is_date(text: &str) -> bool {
    let shape = |pattern: &str| has_shape(text, pattern);
    let first_day = if shape("dddd") {
        format!("{text}-01-01")
    } else if shape("dddd-dd") {
        format!("{text}-01")
    } else if shape("dddd-dd-dd") {
        text.to_owned()
    } else {
        return false;
    };
    // The year 0000 is well-formed for the calendar, not for FHIR.
    !text.starts_with("0000") && first_day.parse::<civil::Date>().is_ok()
}

/// The calendar is jiff's; the shape is checked here, because jiff reads forms that FHIR does not write.
fn is_instant(text: &str) -> bool {
    let Some((day, rest)) = text.split_once('T') else { return false };
    let Some(offset_at) = rest.find(['Z', '+', '-']) else { return false };
    let (time, offset) = rest.split_at(offset_at);
    let (second, fraction) = time.split_once('.').unwrap_or((time, "0"));
    has_shape(day, "dddd-dd-dd")
        && has_shape(second, "dd:dd:dd")
        && !fraction.is_empty()
        && fraction.len() <= 9
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && (offset == "Z" || has_shape(offset, "+dd:dd") || has_shape(offset, "-dd:dd"))
        && is_date(day)
        && text.parse::<Timestamp>().is_ok()
}

fn has_shape(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

/// `decimal`: the digits as they were stored, because `1.10` and `1.1` differ in precision
/// (hl7.org/fhir/R4/datatypes.html#decimal).
#[derive(Debug, Clone, Copy)]
pub struct Decimal<'a>(&'a RawValue);

impl<'a> Decimal<'a> {
    /// # Errors
    /// Where the JSON is no number.
    pub fn parse(json: &'a RawValue, element: &str) -> Result<Self, Reject> {
        match json.get().bytes().next() {
            Some(b'-' | b'0'..=b'9') => Ok(Self(json)),
            _ => Err(Reject::new(RejectReason::ItemUnreadable, element)),
        }
    }
}

impl Serialize for Decimal<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_follows_the_hash_sign() {
        let long = format!("PATIENT#{}", "a".repeat(64));
        for (key, id) in [("PATIENT#1", "1"), ("ADDRESS#a-b.C9", "a-b.C9"), (long.as_str(), &long[8..])] {
            assert_eq!(Id::of_key(key, "Patient.id").expect(key).as_str(), id);
        }
        let too_long = format!("PATIENT#{}", "a".repeat(65));
        for key in ["PATIENT", "PATIENT#", "PATIENT#a_b", "PATIENT#é", "PATIENT#a#b", &too_long] {
            assert!(Id::of_key(key, "Patient.id").is_err(), "{key}");
        }
    }

    #[test]
    fn dates_are_fhirs() {
        for good in ["1980", "1980-03", "1980-03-17", "2024-02-29", "0001-01-01"] {
            assert!(Date::parse(good.into(), "d").is_ok(), "{good}");
        }
        for bad in [
            "",
            "80",
            "1980-3",
            "1980-13",
            "1980-02-30",
            "2023-02-29",
            "17.03.1980",
            "1980-03-17T00:00:00Z",
            "0000",
            "1980-03-17 ",
            "١٩٨٠",
        ] {
            assert!(Date::parse(bad.into(), "d").is_err(), "{bad}");
        }
    }

    #[test]
    fn date_times_are_fhirs() {
        for good in [
            "1980",
            "1980-03",
            "1980-03-17",
            "2026-11-22T07:14:00Z",
            "2026-11-22T07:14:00.123+01:00",
            "2026-11-22T07:14:00-11:30",
        ] {
            assert!(DateTime::parse(good.into(), "t").is_ok(), "{good}");
        }
        for bad in [
            "2026-11-22T07:14Z",
            "2026-11-22T07:14:00",
            "2026-11-22 07:14:00Z",
            "2026-11-22t07:14:00z",
            "2026-11-31T07:14:00Z",
            "2026-11-22T25:14:00Z",
            "2026-11-22T07:14:00.Z",
            "2026-11-22T07:14:00+1:00",
            "2026-11-22T07:14:00Z[UTC]",
        ] {
            assert!(DateTime::parse(bad.into(), "t").is_err(), "{bad}");
        }
    }

    #[test]
    fn blank_texts_are_left_out_and_control_characters_refused() {
        assert_eq!(Text::parse("  ".into(), "t").expect("blank"), None);
        assert_eq!(Text::parse("".into(), "t").expect("empty"), None);
        assert!(Text::parse("Zoë \u{1F9EC} \u{5E9}".into(), "t").expect("text").is_some());
        assert!(Text::parse("a\tb\r\nc".into(), "t").expect("text").is_some());
        assert!(Text::parse("a\u{1}b".into(), "t").is_err());
    }
}
