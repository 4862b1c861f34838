//! A table with the keys `pk` and `sk`, and the conditions that are written on.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Reply;

type Item = Map<String, Value>;

/// Attributes whose names an expression may not hold as they are (Amazon DynamoDB developer guide, "Reserved words in
/// DynamoDB").
const RESERVED: [&str; 4] = ["cursor", "error", "status", "window"];

/// Items in DynamoDB's JSON, by their keys.
#[derive(Debug, Default)]
pub struct Table {
    pub items: BTreeMap<(String, String), Item>,
}

fn key_of(item: &Value) -> (String, String) {
    let text = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    (text("pk"), text("sk"))
}

impl Table {
    pub fn act(&mut self, operation: &str, request: &Value) -> Reply {
        match operation {
            "GetItem" => match self.items.get(&key_of(&request["Key"])) {
                Some(item) if request["ConsistentRead"] == true => Reply::json(&json!({"Item": item})),
                Some(_) => panic!("read without consistency"),
                None => Reply::json(&json!({})),
            },
            "PutItem" if self.admits(request) => {
                self.put(request);
                Reply::json(&json!({}))
            }
            "PutItem" => {
                Reply::error(400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException")
            }
            "TransactWriteItems" => {
                let puts = request["TransactItems"].as_array().unwrap().iter().map(|item| &item["Put"]);
                if puts.clone().all(|put| self.admits(put)) {
                    puts.for_each(|put| self.put(put));
                    Reply::json(&json!({}))
                } else {
                    Reply::error(400, "com.amazonaws.dynamodb.v20120810#TransactionCanceledException")
                }
            }
            "Query" => self.query(request),
            other => panic!("dynamodb:{other}"),
        }
    }

    fn put(&mut self, put: &Value) {
        let item = put["Item"].as_object().unwrap().clone();
        self.items.insert(key_of(&put["Item"]), item);
    }

    /// Conditions joined by AND: an attribute is there, is not there, or has a value.
    fn admits(&self, put: &Value) -> bool {
        let item = self.items.get(&key_of(&put["Item"]));
        let attribute = |name: &str| {
            assert!(!RESERVED.contains(&name), "{name} is a reserved word");
            let name = if name.starts_with('#') {
                put["ExpressionAttributeNames"][name].as_str().unwrap()
            } else {
                name
            };
            item.and_then(|item| item.get(name))
        };
        put["ConditionExpression"].as_str().unwrap().split(" AND ").all(|condition| {
            let inner = |function: &str| condition.strip_prefix(function)?.strip_suffix(')');
            if let Some(name) = inner("attribute_exists(") {
                attribute(name).is_some()
            } else if let Some(name) = inner("attribute_not_exists(") {
                attribute(name).is_none()
            } else {
                let (name, value) = condition.split_once(" = ").unwrap();
                attribute(name) == Some(&put["ExpressionAttributeValues"][value])
            }
        })
    }

    fn query(&self, request: &Value) -> Reply {
        assert_eq!(request["KeyConditionExpression"], "pk = :datastore AND begins_with(sk, :runs)");
        let value = |name: &str| request["ExpressionAttributeValues"][name]["S"].as_str().unwrap();
        let (datastore, runs) = (value(":datastore"), value(":runs"));
        let found = self.items.iter().filter(|((pk, sk), _)| pk == datastore && sk.starts_with(runs));
        let limit = usize::try_from(request["Limit"].as_u64().unwrap()).unwrap();
        assert_eq!(request["ScanIndexForward"], false);
        let items: Vec<&Item> = found.rev().take(limit).map(|(_, item)| item).collect();
        Reply::json(&json!({"Items": items, "Count": items.len()}))
    }
}
