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
    let text = json.trim();
    match text.bytes().next() {
        Some(b'{') => {
            let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text)?;
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| {
                    Ok(format!("{}:{}", serde_json::to_string(&name)?, canonical(value.get())?))
                })
                .collect::<Result<_>>()?;
            Ok(format!("{{{}}}", members.join(",")))
        }
        Some(b'[') => {
            let values: Vec<Box<RawValue>> = serde_json::from_str(text)?;
            let values: Vec<String> =
                values.iter().map(|value| canonical(value.get())).collect::<Result<_>>()?;
            Ok(format!("[{}]", values.join(",")))
        }
        Some(b'"') => Ok(serde_json::to_string(&serde_json::from_str::<String>(text)?)?),
        _ => Ok(text.to_owned()),
    }
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
}
