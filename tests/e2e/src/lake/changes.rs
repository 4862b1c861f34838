//! Changes of a table that holds whatever an item can hold, generated from a seed.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use fastrand::Rng;
use serde_json::{Value, json};

type Item = HashMap<String, AttributeValue>;

/// What BatchWriteItem takes (DynamoDB API reference).
const BATCH: usize = 25;

/// Folders that the items are divided into: an attribute of any kind, and a day.
#[must_use]
pub fn partition() -> Value {
    json!({
        "attributes": ["ward/site"],
        "time": {"from": {"attribute": "admitted at", "format": "rfc3339"}, "unit": "day"},
    })
}

/// What is declared from the beginning.
#[must_use]
pub fn columns() -> Value {
    json!({
        "name": "string", "amount": "decimal(38,9)", "visits": "bigint", "active": "boolean", "details": "json",
        "seenAt": "timestamp", "savedAt": "timestamp_s", "sentAt": "timestamp_ms", "size in cm %/=": "decimal(10,2)",
    })
}

/// The attribute that is declared later.
pub const LATE_ATTRIBUTE: &str = "lateNote";

/// One writer's part of the changes: items of its own, so that no other overtakes it.
pub struct Lane {
    number: usize,
    random: Rng,
    living: Vec<(String, String)>,
    removed: Vec<(String, String)>,
    created: usize,
    written: usize,
}

impl Lane {
    #[must_use]
    pub fn new(number: usize, seed: u64) -> Self {
        let random = Rng::with_seed(seed + number as u64);
        Self { number, random, living: Vec::new(), removed: Vec::new(), created: 0, written: 0 }
    }

    /// Writes the next changes, at most so many; tells how many they were.
    ///
    /// # Errors
    /// Where the table does not take them.
    pub async fn write(&mut self, client: &Client, table: &str, most: usize) -> Result<usize> {
        let mut batch: HashMap<(String, String), WriteRequest> = HashMap::new();
        while batch.len() < most.min(BATCH) {
            let (key, request) = self.change(&batch)?;
            batch.insert(key, request);
        }
        let written = batch.len();
        let requests: Vec<WriteRequest> = batch.into_values().collect();
        let answer = client.batch_write_item().request_items(table, requests).send().await?;
        ensure!(answer.unprocessed_items().is_none_or(HashMap::is_empty), "the table did not take all");
        Ok(written)
    }

    /// A change of an item that the batch does not change already.
    fn change(
        &mut self,
        batch: &HashMap<(String, String), WriteRequest>,
    ) -> Result<((String, String), WriteRequest)> {
        self.written += 1;
        let existing = (0..8).find_map(|_| {
            let at = self.random.usize(0..self.living.len().max(1));
            self.living.get(at).filter(|key| !batch.contains_key(*key)).map(|key| (at, key.clone()))
        });
        match (self.random.u8(0..100), existing) {
            (0..10, Some((at, key))) => {
                self.living.swap_remove(at);
                self.removed.push(key.clone());
                let removal = DeleteRequest::builder()
                    .key("id", AttributeValue::S(key.0.clone()))
                    .key("sk", AttributeValue::S(key.1.clone()))
                    .build()?;
                Ok((key, WriteRequest::builder().delete_request(removal).build()))
            }
            (10..55, Some((_, key))) => self.put(key),
            _ => {
                let key = self.new_key(batch);
                self.living.push(key.clone());
                self.put(key)
            }
        }
    }

    fn put(&mut self, key: (String, String)) -> Result<((String, String), WriteRequest)> {
        let put = PutRequest::builder().set_item(Some(self.item(&key))).build()?;
        Ok((key, WriteRequest::builder().put_request(put).build()))
    }

    /// Some of the keys come again after they were removed.
    fn new_key(&mut self, batch: &HashMap<(String, String), WriteRequest>) -> (String, String) {
        if self.random.u8(0..5) == 0
            && let Some(at) = self.removed.iter().position(|key| !batch.contains_key(key))
        {
            return self.removed.swap_remove(at);
        }
        self.created += 1;
        let sort_keys = ["PART#1", "a b/c=d%20", "東京 🫀", "\"quoted\\"];
        (format!("ITEM#{}-{}", self.number, self.created), self.pick(&sort_keys).to_owned())
    }

    fn item(&mut self, (id, sk): &(String, String)) -> Item {
        let mut item = Item::from([
            ("id".to_owned(), text(id)),
            ("sk".to_owned(), text(sk)),
            // Otherwise a write may change nothing, and there would be no record of it.
            ("revision".to_owned(), number(&self.written.to_string())),
            ("empty".to_owned(), text("")),
            ("an attribute / with = and % 東京".to_owned(), text("a/b=c%d \"é\" \\ \u{1}\n\t\u{7f}")),
        ]);
        let mut set = |name: &str, value: Option<AttributeValue>| {
            item.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("ward/site", self.ward());
        set("admitted at", self.admission());
        set("name", Some(self.name()));
        set("amount", Some(self.amount()));
        set(
            "visits",
            Some(number(self.pick(&["0", "-5", "9223372036854775807", "9223372036854775808", "1.5"]))),
        );
        set("active", Some(self.active()));
        set("details", Some(self.details()));
        set("seenAt", Some(text(self.pick(&INSTANTS))));
        set("savedAt", Some(number(self.pick(&["1795331640", "1795331640.000001", "0.0000001", "-1"]))));
        set("sentAt", Some(number(self.pick(&["1795331640123", "1795331640123.5", "1E+30"]))));
        set("size in cm %/=", Some(number(self.pick(&["172.50", "0.001", "123456789", "-12345678.9"]))));
        set(LATE_ATTRIBUTE, self.random.bool().then(|| text("declared later")));
        // Attributes that are called as columns are.
        set("_op", Some(text("not an operation")));
        set("NAME", Some(text("another name")));
        item
    }

    /// Seven folders: the last three of these are no values of one.
    fn ward(&mut self) -> Option<AttributeValue> {
        match self.random.u8(0..10) {
            0..3 => Some(text("north wing")),
            3 => Some(text("a/b=c%d")),
            4 => Some(text("東京 🫀")),
            5 => Some(number("7")),
            6 => Some(AttributeValue::Bool(true)),
            7 => Some(text("")),
            8 => Some(AttributeValue::L(vec![text("north wing")])),
            _ => None,
        }
    }

    /// Three days, and what is none.
    fn admission(&mut self) -> Option<AttributeValue> {
        let at =
            ["2026-11-20T23:30:00Z", "2026-11-22T00:30:00+02:00", "2026-11-22T07:14:00.123Z", "yesterday"];
        (self.random.u8(0..8) > 0).then(|| text(self.pick(&at)))
    }

    fn name(&mut self) -> AttributeValue {
        match self.random.u8(0..50) {
            0 => number("5"),
            1 => AttributeValue::Null(true),
            _ => text(self.pick(&["Zoë \"Sam\" Söder", "عينة", "Back\\slash", "", "Pippa 🧬", "\u{0}nul"])),
        }
    }

    fn amount(&mut self) -> AttributeValue {
        number(self.pick(&[
            "1.10",
            "-0.000000001",
            "12345678901234567890123456789.123456789",
            "99999999999999999999999999999999999999",
            "9.9999999999999999999999999999999999999E+125",
            "-1E-130",
            "0.0123456789012345678901234567890123456",
        ]))
    }

    fn active(&mut self) -> AttributeValue {
        match self.random.u8(0..20) {
            0 => text("yes"),
            1 => AttributeValue::Null(true),
            even => AttributeValue::Bool(even % 2 == 0),
        }
    }

    fn details(&mut self) -> AttributeValue {
        let map = |members: Vec<(&str, AttributeValue)>| {
            AttributeValue::M(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        match self.random.u8(0..5) {
            0 => map(vec![]),
            1 => AttributeValue::L(vec![
                number("1.10"),
                AttributeValue::Null(true),
                map(vec![("a b/=%", text(""))]),
            ]),
            2 => AttributeValue::Ss(vec!["b".to_owned(), "a".to_owned(), "é".to_owned()]),
            3 => AttributeValue::B(Blob::new([0, 1, 255])),
            _ => map(vec![
                (
                    "深い",
                    map(vec![(
                        "deeper",
                        map(vec![("number", number("12345678901234567890123456789012345678"))]),
                    )]),
                ),
                ("numbers", AttributeValue::Ns(vec!["2".to_owned(), "10".to_owned()])),
                ("\"name\"", text("value")),
            ]),
        }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.random.choice(from).copied().unwrap_or_default()
    }
}

const INSTANTS: [&str; 5] = [
    "2026-11-22T07:14:00Z",
    "2026-11-22T08:14:00.250+01:00",
    "1890-01-01T00:00:00.000001Z",
    "2026-11-22",
    "",
];

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}
