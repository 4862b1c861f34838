//! Plain JSON and DynamoDB's attributes, for what the demo writes and compares.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::change::Image;
use serde_json::Value;
use serde_json::value::RawValue;

pub type Item = HashMap<String, AttributeValue>;

/// The attribute that holds a JSON value; numbers keep their text.
#[must_use]
pub fn to_attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(value),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(to_attribute).collect()),
        Value::Object(members) => AttributeValue::M(to_item(members)),
    }
}

#[must_use]
pub fn to_item(members: serde_json::Map<String, Value>) -> Item {
    members.into_iter().map(|(name, value)| (name, to_attribute(value))).collect()
}

/// The item as the events show it.
///
/// # Errors
/// Where the item holds what DynamoDB never gives.
pub fn of_item(item: Item) -> Result<String> {
    let attributes = serde_json::to_string(&serde_dynamo::Item::from(item))?;
    Ok(serde_json::from_str::<Image>(&attributes).context("an item of the table")?.json)
}

/// The same text for JSON that says the same, every digit of a number included: members sorted, escapes as serde writes
/// them.
///
/// # Errors
/// Where the text is no JSON.
pub fn canonical(json: &str) -> Result<String> {
    let mut out = String::with_capacity(json.len());
    write_canonical(json, str::to_owned, &mut out)?;
    Ok(out)
}

/// As [`canonical`], and the same for numbers that are equal: `1.10` and `11E-1` are both `11E-1`. The readers of
/// `tools/lake-reader` dump items so.
///
/// # Errors
/// Where the text is no JSON.
pub fn canonical_values(json: &str) -> Result<String> {
    let mut out = String::with_capacity(json.len());
    write_canonical(json, |scalar| shortest_number(scalar).unwrap_or_else(|| scalar.to_owned()), &mut out)?;
    Ok(out)
}

fn write_canonical(json: &str, scalar: fn(&str) -> String, out: &mut String) -> Result<()> {
    let text = json.trim();
    match text.bytes().next() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            out.push('{');
            for (position, (name, value)) in members.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                out.push_str(&serde_json::to_string(name)?);
                out.push(':');
                write_canonical(value.get(), scalar, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            let values: Vec<&RawValue> = serde_json::from_str(text)?;
            out.push('[');
            for (position, value) in values.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                write_canonical(value.get(), scalar, out)?;
            }
            out.push(']');
        }
        Some(b'"') => out.push_str(&serde_json::to_string(&serde_json::from_str::<String>(text)?)?),
        _ => out.push_str(&scalar(text)),
    }
    Ok(())
}

/// A number's significant digits, and their place where that is not 0; `None` where the text is no number.
fn shortest_number(text: &str) -> Option<String> {
    let (sign, magnitude) = text.strip_prefix('-').map_or(("", text), |magnitude| ("-", magnitude));
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    let trailing = i64::try_from(digits.len() - significant.len()).ok()?;
    let place = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()? + trailing;
    Some(match (significant.trim_start_matches('0'), place) {
        ("", _) => "0".to_owned(),
        (significant, 0) => format!("{sign}{significant}"),
        (significant, place) => format!("{sign}{significant}E{place}"),
    })
}

/// The same JSON with a line for each member, in the order in which it stands and with the digits that it has.
#[must_use]
pub fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        let line = |depth: usize, out: &mut String| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        };
        match character {
            '{' | '[' => {
                depth += 1;
                out.push(character);
                line(depth, &mut out);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(depth, &mut out);
                out.push(character);
            }
            ',' => {
                out.push(character);
                line(depth, &mut out);
            }
            ':' => out.push_str(": "),
            _ if character.is_whitespace() => (),
            _ => {
                in_string = character == '"';
                out.push(character);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_json_is_the_same_json() {
        let json = r#"{"b":[1.10,{"c":"a, {b}: \"q\" \\"}],"a":null}"#;
        let lines = indented(json);
        assert_eq!(canonical(&lines).unwrap(), canonical(json).unwrap());
        assert!(lines.starts_with("{\n  \"b\": [\n    1.10,\n"), "{lines}");
    }

    #[test]
    fn canonical_text_ignores_order_and_escapes_but_no_digit() {
        let same = canonical(r#"{"b": [1.10, "\u00e9"], "a": {"x": null}}"#).unwrap();
        assert_eq!(same, canonical(r#"{"a":{"x":null},"b":[1.10,"é"]}"#).unwrap());
        assert_ne!(same, canonical(r#"{"a":{"x":null},"b":[1.1,"é"]}"#).unwrap());
    }

    #[test]
    fn equal_numbers_have_the_same_canonical_value() {
        for (number, expected) in [
            ("1.10", "11E-1"),
            ("0.0011e3", "11E-1"),
            ("1100", "11E2"),
            ("11", "11"),
            ("-0.0", "0"),
            ("-5E-130", "-5E-130"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ] {
            assert_eq!(
                canonical_values(&format!("[{number}, true, null]")).unwrap(),
                format!("[{expected},true,null]")
            );
        }
    }
}
