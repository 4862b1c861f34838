//! DynamoDB's attribute values, transcoded to plain JSON while they are parsed.
//!
//! An attribute value is an object of one member that names its type: `{"S": "text"}`, `{"N": "1.10"}`. The visitor
//! here writes the plain form of each straight into a buffer, so that an image is read once and no tree is built.
//! Types: Amazon DynamoDB API reference, "AttributeValue".

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Reads one attribute value and appends its plain JSON to the buffer.
pub(super) struct PlainJson<'b>(pub &'b mut String);

/// Appends the plain JSON of an attribute value.
pub(crate) fn push_plain(out: &mut String, attribute: &str) -> Result<(), serde_json::Error> {
    PlainJson(out).deserialize(&mut serde_json::Deserializer::from_str(attribute))
}

/// The type descriptors of an attribute value.
#[derive(Deserialize)]
enum Descriptor {
    S,
    N,
    B,
    #[serde(rename = "BOOL")]
    Bool,
    #[serde(rename = "NULL")]
    Null,
    M,
    L,
    #[serde(rename = "SS")]
    StringSet,
    #[serde(rename = "NS")]
    NumberSet,
    #[serde(rename = "BS")]
    BinarySet,
}

impl<'de> DeserializeSeed<'de> for PlainJson<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PlainJson<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let out = self.0;
        let descriptor = map
            .next_key::<Descriptor>()?
            .ok_or_else(|| A::Error::custom("an attribute value without a type"))?;
        match descriptor {
            // Text and base64 are carried as they were written, quotes and escapes included.
            Descriptor::S | Descriptor::B => {
                let raw = map.next_value::<&RawValue>()?.get();
                if !raw.starts_with('"') {
                    return Err(A::Error::custom("a string attribute that holds no string"));
                }
                out.push_str(raw);
            }
            Descriptor::N => push_number(out, &map.next_value::<Text<'_>>()?.0)?,
            Descriptor::Bool => out.push_str(if map.next_value()? { "true" } else { "false" }),
            Descriptor::Null => {
                map.next_value::<bool>()?;
                out.push_str("null");
            }
            Descriptor::M => map.next_value_seed(PlainObject(out))?,
            Descriptor::L => map.next_value_seed(PlainArray(out))?,
            Descriptor::StringSet | Descriptor::BinarySet => {
                let mut members = map.next_value::<Vec<Text<'_>>>()?;
                members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
                push_joined(out, &members, push_string)?;
            }
            Descriptor::NumberSet => {
                let mut members = map.next_value::<Vec<Text<'_>>>()?;
                members.sort_unstable_by(|a, b| number_order(&a.0, &b.0));
                push_joined(out, &members, push_number)?;
            }
        }
        match map.next_key::<Cow<'_, str>>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("an attribute value of two types")),
        }
    }
}

/// A string, borrowed from the input where it has no escapes. Serde borrows a `Cow` only where it is asked to.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

struct PlainObject<'b>(&'b mut String);

impl<'de> DeserializeSeed<'de> for PlainObject<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PlainObject<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of attribute values")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        visit_members(self.0, map, |_, _, _| ())
    }
}

struct PlainArray<'b>(&'b mut String);

impl<'de> DeserializeSeed<'de> for PlainArray<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PlainArray<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of attribute values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let out = self.0;
        out.push('[');
        let opened = out.len();
        loop {
            let before = out.len();
            if before > opened {
                out.push(',');
            }
            if seq.next_element_seed(PlainJson(out))?.is_none() {
                out.truncate(before);
                break;
            }
        }
        out.push(']');
        Ok(())
    }
}

/// Writes the members of a map as a JSON object, and shows each name with its value's plain JSON to `seen`, and where in
/// `out` that begins.
pub(crate) fn visit_members<'de, A: MapAccess<'de>>(
    out: &mut String,
    mut map: A,
    mut seen: impl FnMut(&str, &str, usize),
) -> Result<(), A::Error> {
    out.push('{');
    let mut first = true;
    while let Some(name) = map.next_key::<Text<'_>>()? {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        push_string(out, &name.0)?;
        out.push(':');
        let start = out.len();
        map.next_value_seed(PlainJson(out))?;
        seen(&name.0, out.get(start..).unwrap_or_default(), start);
    }
    out.push('}');
    Ok(())
}

fn push_joined<E: Error>(
    out: &mut String,
    members: &[Text<'_>],
    push: impl Fn(&mut String, &str) -> Result<(), E>,
) -> Result<(), E> {
    out.push('[');
    for (position, member) in members.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        push(out, &member.0)?;
    }
    out.push(']');
    Ok(())
}

fn push_string<E: Error>(out: &mut String, text: &str) -> Result<(), E> {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return Ok(());
    }
    out.push_str(&serde_json::to_string(text).map_err(E::custom)?);
    Ok(())
}

/// DynamoDB sends a number as text with up to 38 significant digits; as a JSON number it keeps every one of them.
fn push_number<E: Error>(out: &mut String, number: &str) -> Result<(), E> {
    if !is_json_number(number.as_bytes()) {
        return Err(E::custom("a number attribute that is no number"));
    }
    out.push_str(number);
    Ok(())
}

/// RFC 8259, section 6.
pub(crate) fn is_json_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> (usize, &[u8]) {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count, text.get(count..).unwrap_or_default())
    }
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(text);
    if whole == 0 || (whole > 1 && text.starts_with(b"0")) {
        return false;
    }
    let rest = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => match digits(fraction) {
            (0, _) => return false,
            (_, rest) => rest,
        },
    };
    match rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent =
                exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
            matches!(digits(exponent), (1.., []))
        }
    }
}

/// By value; numbers that a double cannot tell apart by their text. Only the order depends on it, never a digit.
fn number_order(a: &str, b: &str) -> std::cmp::Ordering {
    let approximate = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    approximate(a).total_cmp(&approximate(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(attribute: &str) -> Result<String, serde_json::Error> {
        let mut out = String::new();
        push_plain(&mut out, attribute)?;
        Ok(out)
    }

    #[test]
    fn every_attribute_type_has_a_plain_form() {
        let cases = [
            (r#"{"S":"text"}"#, r#""text""#),
            (r#"{"S":""}"#, r#""""#),
            (r#"{"S":"a \"quote\" and \u00e9 \\ \n"}"#, r#""a \"quote\" and \u00e9 \\ \n""#),
            (r#"{"N":"1.10"}"#, "1.10"),
            (
                r#"{"N":"-12345678901234567890.123456789012345678"}"#,
                "-12345678901234567890.123456789012345678",
            ),
            (r#"{"N":"1E+125"}"#, "1E+125"),
            (r#"{"B":"aGVsbG8="}"#, r#""aGVsbG8=""#),
            (r#"{"BOOL":true}"#, "true"),
            (r#"{"BOOL":false}"#, "false"),
            (r#"{"NULL":true}"#, "null"),
            (r#"{"M":{}}"#, "{}"),
            (
                r#"{"M":{"a \"b\"":{"N":"1"},"c":{"L":[{"S":"x"},{"NULL":true}]}}}"#,
                r#"{"a \"b\"":1,"c":["x",null]}"#,
            ),
            (r#"{"L":[]}"#, "[]"),
            (r#"{"L":[{"L":[{"N":"1"}]},{"M":{"k":{"BOOL":true}}}]}"#, r#"[[1],{"k":true}]"#),
            (r#"{"SS":["b","a","B"]}"#, r#"["B","a","b"]"#),
            (r#"{"NS":["10","2","-1","2.5"]}"#, "[-1,2,2.5,10]"),
            (
                r#"{"NS":["10000000000000000000000000000000000002","10000000000000000000000000000000000001"]}"#,
                "[10000000000000000000000000000000000001,10000000000000000000000000000000000002]",
            ),
            (r#"{"BS":["Yg==","YQ=="]}"#, r#"["YQ==","Yg=="]"#),
        ];
        for (attribute, expected) in cases {
            assert_eq!(plain(attribute).expect(attribute), expected, "{attribute}");
        }
    }

    #[test]
    fn what_is_no_attribute_value_is_an_error() {
        let cases = [
            "{}",
            "null",
            r#""text""#,
            r#"{"X":"text"}"#,
            r#"{"S":5}"#,
            r#"{"S":null}"#,
            r#"{"N":5}"#,
            r#"{"N":""}"#,
            r#"{"N":"01"}"#,
            r#"{"N":"1."}"#,
            r#"{"N":".5"}"#,
            r#"{"N":"+1"}"#,
            r#"{"N":"1e"}"#,
            r#"{"N":"NaN"}"#,
            r#"{"N":"1,2"}"#,
            r#"{"BOOL":"true"}"#,
            r#"{"M":[]}"#,
            r#"{"L":{}}"#,
            r#"{"NS":["x"]}"#,
            r#"{"S":"a","N":"1"}"#,
        ];
        for attribute in cases {
            assert!(plain(attribute).is_err(), "{attribute}");
        }
    }
}
