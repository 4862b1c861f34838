//! Items of the DynamoDB API, written as exports and streams write them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The item as a map of attribute values. Names are sorted, so that an item that is read twice is written alike: the SDK's
/// maps have no order. `None` where it holds a type that this release of the SDK does not know.
pub(crate) fn image(item: &HashMap<String, AttributeValue>) -> Option<String> {
    let mut out = String::with_capacity(512);
    push_map(&mut out, item)?;
    Some(out)
}

fn push_map(out: &mut String, map: &HashMap<String, AttributeValue>) -> Option<()> {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    push_all(out, ['{', '}'], members, |out, (name, value)| {
        push_text(out, name);
        out.push(':');
        push_value(out, value)
    })
}

fn push_value(out: &mut String, value: &AttributeValue) -> Option<()> {
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let texts = |out: &mut String, texts: &[String]| {
        push_all(out, ['[', ']'], texts, |out, text| {
            push_text(out, text);
            Some(())
        })
    };
    out.push_str(match value {
        AttributeValue::S(_) => "{\"S\":",
        AttributeValue::N(_) => "{\"N\":",
        AttributeValue::B(_) => "{\"B\":",
        AttributeValue::Bool(_) => "{\"BOOL\":",
        AttributeValue::Null(_) => "{\"NULL\":",
        AttributeValue::M(_) => "{\"M\":",
        AttributeValue::L(_) => "{\"L\":",
        AttributeValue::Ss(_) => "{\"SS\":",
        AttributeValue::Ns(_) => "{\"NS\":",
        AttributeValue::Bs(_) => "{\"BS\":",
        _ => return None,
    });
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => push_text(out, text),
        AttributeValue::B(bytes) => push_text(out, &base64(bytes.as_ref())),
        AttributeValue::Bool(value) | AttributeValue::Null(value) => {
            out.push_str(if *value { "true" } else { "false" });
        }
        AttributeValue::M(map) => push_map(out, map)?,
        AttributeValue::L(list) => push_all(out, ['[', ']'], list, push_value)?,
        AttributeValue::Ss(set) | AttributeValue::Ns(set) => texts(out, set)?,
        AttributeValue::Bs(set) => {
            let set: Vec<String> = set.iter().map(|bytes| base64(bytes.as_ref())).collect();
            texts(out, &set)?;
        }
        _ => return None,
    }
    out.push('}');
    Some(())
}

fn push_all<T>(
    out: &mut String,
    [open, close]: [char; 2],
    members: impl IntoIterator<Item = T>,
    push: impl Fn(&mut String, T) -> Option<()>,
) -> Option<()> {
    out.push(open);
    for (position, member) in members.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        push(out, member)?;
    }
    out.push(close);
    Some(())
}

fn push_text(out: &mut String, text: &str) {
    // A text is always JSON.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use domain::lake::Item;

    use super::*;

    #[test]
    fn every_attribute_type_is_written_as_exports_write_it() {
        let text = |text: &str| text.to_owned();
        let map = |members: &[(&str, AttributeValue)]| -> HashMap<String, AttributeValue> {
            members.iter().map(|(name, value)| (text(name), value.clone())).collect()
        };
        let item = map(&[
            ("a/b=c% \"é\"", AttributeValue::S(text("line\n\"x\""))),
            ("n", AttributeValue::N(text("-12345678901234567890.123456789012345678"))),
            ("b", AttributeValue::B(Blob::new("hello"))),
            ("bool", AttributeValue::Bool(true)),
            ("null", AttributeValue::Null(true)),
            (
                "m",
                AttributeValue::M(map(&[
                    ("z", AttributeValue::N(text("1.10"))),
                    ("y", AttributeValue::Bool(false)),
                ])),
            ),
            ("l", AttributeValue::L(vec![AttributeValue::S(text("")), AttributeValue::M(map(&[]))])),
            ("ss", AttributeValue::Ss(vec![text("b"), text("a")])),
            ("ns", AttributeValue::Ns(vec![text("10"), text("2")])),
            ("bs", AttributeValue::Bs(vec![Blob::new("b"), Blob::new("a")])),
        ]);
        let written = image(&item).unwrap();
        assert_eq!(
            written,
            concat!(
                r#"{"a/b=c% \"é\"":{"S":"line\n\"x\""},"b":{"B":"aGVsbG8="},"bool":{"BOOL":true},"#,
                r#""bs":{"BS":["Yg==","YQ=="]},"l":{"L":[{"S":""},{"M":{}}]},"#,
                r#""m":{"M":{"y":{"BOOL":false},"z":{"N":"1.10"}}},"#,
                r#""n":{"N":"-12345678901234567890.123456789012345678"},"ns":{"NS":["10","2"]},"null":{"NULL":true},"#,
                r#""ss":{"SS":["b","a"]}}"#
            )
        );
        let item = Item::from_image(&written).unwrap();
        assert_eq!(item.get("n"), Some("-12345678901234567890.123456789012345678"));
        assert_eq!(item.get("m"), Some(r#"{"y":false,"z":1.10}"#));
    }
}
