//! An item as the lake takes it: its attributes, each with its plain JSON.

use std::fmt;
use std::ops::Range;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::packed::{push_length, push_text, take_length, take_text};
use crate::change::{Text, plain_image, visit_members};
use crate::json_cursor::JsonCursor;

/// The attributes of an item in their order, each as plain JSON: numbers with every digit, sets as sorted arrays, binary
/// as base64. All of them lie in two texts, so that an item costs three allocations however many attributes it has.
#[derive(Debug, Clone, Default)]
pub struct Item {
    names: String,
    values: String,
    attributes: Vec<Attribute>,
}

#[derive(Debug, Clone)]
struct Attribute {
    name: Range<usize>,
    json: Range<usize>,
}

impl Item {
    /// Reads an image of a stream record: a map of DynamoDB's attribute values.
    ///
    /// # Errors
    /// Where it is none.
    pub fn from_image(image: &str) -> Result<Self, serde_json::Error> {
        let image: &RawValue = serde_json::from_str(image)?;
        Self::from_raw_image(image)
    }

    /// [`from_image`](Self::from_image) of what is known to be JSON.
    pub(super) fn from_raw_image(image: &RawValue) -> Result<Self, serde_json::Error> {
        if let Some(item) = Self::from_plain_image(&mut JsonCursor::of(image)) {
            return Ok(item);
        }
        serde_json::from_str(image.get()).map(|ItemOfImage(item)| item)
    }

    /// An image of the common shape; `None` where it is another.
    pub(super) fn from_plain_image(image: &mut JsonCursor<'_>) -> Option<Self> {
        let mut item = Self::with_room();
        let Self { names, values, attributes } = &mut item;
        plain_image::read(image, values, |name, json| {
            attributes.push(Attribute { name: append(names, name), json });
        })?;
        Some(item)
    }

    /// Room for most items, so that their texts need not move as they grow.
    pub(super) fn with_room() -> Self {
        Self {
            names: String::with_capacity(128),
            values: String::with_capacity(512),
            attributes: Vec::with_capacity(16),
        }
    }

    /// Reads an object of plain JSON.
    ///
    /// # Errors
    /// Where the text is no object.
    pub fn from_json(object: &str) -> Result<Self, serde_json::Error> {
        let mut item = Self::default();
        for_each_member(object, |name, json| item.push(name, json))?;
        Ok(item)
    }

    /// Adds an attribute. It does not look whether there is one of that name.
    pub fn push(&mut self, name: &str, json: &str) {
        let attribute =
            Attribute { name: append(&mut self.names, name), json: append(&mut self.values, json) };
        self.attributes.push(attribute);
    }

    /// The attributes with their plain JSON, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|Attribute { name, json }| {
            (
                self.names.get(name.clone()).unwrap_or_default(),
                self.values.get(json.clone()).unwrap_or_default(),
            )
        })
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(of, json)| (of == name).then_some(json))
    }

    /// Appends its texts, and where each attribute of them ends.
    pub(super) fn pack(&self, out: &mut Vec<u8>) {
        push_text(out, &self.names);
        push_text(out, &self.values);
        push_length(out, self.attributes.len());
        for Attribute { name, json } in &self.attributes {
            for bound in [name.start, name.end, json.start, json.end] {
                push_length(out, bound);
            }
        }
    }

    /// Takes what [`pack`](Self::pack) wrote.
    pub(super) fn unpack(rest: &mut &[u8]) -> Option<Self> {
        let names = take_text(rest)?.to_owned();
        let values = take_text(rest)?.to_owned();
        let count = take_length(rest)?;
        let mut attributes = Vec::with_capacity(count.min(rest.len()));
        for _ in 0..count {
            let name = take_length(rest)?..take_length(rest)?;
            let json = take_length(rest)?..take_length(rest)?;
            attributes.push(Attribute { name, json });
        }
        Some(Self { names, values, attributes })
    }

    /// Bytes of its texts.
    #[must_use]
    pub fn size(&self) -> usize {
        self.names.len() + self.values.len() + self.attributes.len() * size_of::<Attribute>()
    }
}

/// The same attributes in the same order, however they came into it.
impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Item {}

fn append(all: &mut String, text: &str) -> Range<usize> {
    let start = all.len();
    all.push_str(text);
    start..all.len()
}

/// Shows each member of a JSON object: its name and its value's text.
pub(super) fn for_each_member(object: &str, see: impl FnMut(&str, &str)) -> Result<(), serde_json::Error> {
    struct Members<F>(F);

    impl<'de, F: FnMut(&str, &str)> Visitor<'de> for Members<F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                (self.0)(&name.0, value.get());
            }
            Ok(())
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(object);
    deserializer.deserialize_map(Members(see))?;
    deserializer.end()
}

struct ItemOfImage(Item);

impl<'de> Deserialize<'de> for ItemOfImage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ImageVisitor;

        impl<'de> Visitor<'de> for ImageVisitor {
            type Value = Item;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the attributes of an item")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
                let mut item = Item::default();
                visit_members(&mut item.values, map, |name, json, start| {
                    let name = append(&mut item.names, name);
                    item.attributes.push(Attribute { name, json: start..start + json.len() });
                })?;
                Ok(item)
            }
        }

        deserializer.deserialize_map(ImageVisitor).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_as_plain_json_in_their_order() {
        let image =
            r#"{"id": {"S": "PATIENT#1"}, "a/b=c %": {"N": "1.10"}, "": {"M": {"x": {"SS": ["b", "a"]}}}}"#;
        let item = Item::from_image(image).unwrap();
        let attributes: Vec<_> = item.iter().collect();
        assert_eq!(attributes, [("id", r#""PATIENT#1""#), ("a/b=c %", "1.10"), ("", r#"{"x":["a","b"]}"#)]);
        assert_eq!(item.get("a/b=c %"), Some("1.10"));
        assert_eq!(Item::from_json(r#"{"\u0061": 1, "b": [ ]}"#).unwrap().get("a"), Some("1"));
        assert!(Item::from_image("[]").is_err());
        assert!(Item::from_json("[]").is_err());
    }

    #[test]
    fn the_parser_and_the_copying_of_common_images_agree() {
        let images = [
            "{}",
            r#" { "id" : { "S" : "a \"b\" \u00e9 \\" } , "n":{"N":"-1.50E+3"},"t":{"BOOL":true},"f":{"BOOL":false} } "#,
            r#"{"":{"S":""},"x":{"NULL":true},"y":{"B":"aGVsbG8="},"größe":{"SS":["b","a"]},"z":{"NS":["10","9"]}}"#,
            r#"{"m":{"M":{"a":{"L":[]},"b":{"L":[{"N":"1"},{"M":{}},{"SS":["}"]}]}}},"l":{"L":[{"S":"]"}]}}"#,
            r#"{"a \"b\"":{"S":"x"},"c":{"M":{"d\u0022":{"N":"1"}}}}"#,
            r#"{"n":{"N":"01"}}"#,
            r#"{"n":{"N":"NaN"}}"#,
            r#"{"s":{"S":"a","N":"1"}}"#,
            r#"{"s":{"S":5}}"#,
            r#"{"s":{}}"#,
            r#"{"s":{"X":"a"}}"#,
            r#"{"s":{"NULL":false}}"#,
            r#"{"s":{"BOOL":"true"}}"#,
            r#"{"s":{"M":[]}}"#,
            r#"{"s":"a"}"#,
            "[]",
            "5",
        ];
        let deep = format!("{}{{\"S\":\"x\"}}{}", r#"{"M":{"a":"#.repeat(60), "}}".repeat(60));
        let deep = format!(r#"{{"deep":{deep}}}"#);
        let mut copied = 0;
        for image in images.into_iter().chain([deep.as_str()]) {
            let parsed = serde_json::from_str(image).map(|ItemOfImage(item)| item).ok();
            assert_eq!(Item::from_image(image).ok(), parsed, "{image}");
            let raw: &RawValue = serde_json::from_str(image).expect(image);
            let plain = Item::from_plain_image(&mut JsonCursor::of(raw));
            copied += usize::from(plain.is_some());
            assert!(plain.is_none() || plain == parsed, "{image}");
        }
        assert_eq!(copied, 5);
    }
}
