//! DynamoDB: an items table in which every patient has one address. The items are made when they are asked for.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::key_condition::KeyCondition;
use super::{Refusal, unreadable};

const PATIENT_PREFIX: &str = "PATIENT#";
const ADDRESS_SORT_KEY: &str = "ADDRESS#1";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    key_condition_expression: String,
    expression_attribute_values: HashMap<String, Key>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetItem {
    key: ItemKey,
}

#[derive(Deserialize)]
struct ItemKey {
    id: Key,
    sk: Key,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "S")]
    text: String,
}

pub(super) fn query(request: &[u8]) -> Result<Value, Refusal> {
    let query: Query = serde_json::from_slice(request).map_err(|_| unreadable())?;
    let value = |name: &str| query.expression_attribute_values.get(name).map(|key| key.text.as_str());
    let condition = KeyCondition::read(&query.key_condition_expression);
    let Some((id, prefix)) = condition.and_then(|KeyCondition { partition_key, prefix }| {
        Some((value(partition_key)?, prefix.map_or(Some(""), value)?))
    }) else {
        let message = format!("the condition is not played: {}", query.key_condition_expression);
        return Err(Refusal { code: "ValidationException", message });
    };
    let mut items = collection(id);
    items.retain(|(sort_key, _)| sort_key.starts_with(prefix));
    items.truncate(query.limit.unwrap_or(usize::MAX));
    // A query that stops at its limit does not look whether it was the last item (Amazon DynamoDB developer guide,
    // "Paginating table query results").
    let stopped_at = items.last().filter(|_| query.limit == Some(items.len())).map(|(sort_key, _)| *sort_key);
    let items: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
    let mut answer = json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items});
    if let Some(sort_key) = stopped_at {
        answer["LastEvaluatedKey"] = json!({"id": {"S": id}, "sk": {"S": sort_key}});
    }
    Ok(answer)
}

pub(super) fn get_item(request: &[u8]) -> Result<Value, Refusal> {
    let GetItem { key: ItemKey { id, sk } } = serde_json::from_slice(request).map_err(|_| unreadable())?;
    let found = collection(&id.text).into_iter().find(|(sort_key, _)| *sort_key == sk.text);
    Ok(found.map_or(json!({}), |(_, item)| json!({"Item": item})))
}

/// What the table has under a partition key, with the sort keys and in their order.
fn collection(id: &str) -> Vec<(&str, Value)> {
    if id.starts_with(PATIENT_PREFIX) {
        vec![(ADDRESS_SORT_KEY, address(id)), (id, patient(id))]
    } else {
        vec![]
    }
}

fn address(id: &str) -> Value {
    json!({
        "id": {"S": id},
        "sk": {"S": ADDRESS_SORT_KEY},
        "itemType": {"S": "Address"},
        "use": {"S": "home"},
        "line": {"L": [{"S": "1 Sample Street"}]},
        "city": {"S": "Sampleton"},
        "postalCode": {"S": "00001"},
        "country": {"S": "US"}
    })
}

fn patient(id: &str) -> Value {
    json!({
        "id": {"S": id},
        "sk": {"S": id},
        "itemType": {"S": "Patient"},
        "siteId": {"N": "1"},
        "active": {"BOOL": true},
        "revision": {"N": "2"},
        "balance": {"N": "492.11"},
        "updatedAt": {"S": "2026-11-22T07:14:00Z"},
        "mrn": {"M": {"system": {"S": "urn:example:mrn"}, "value": {"S": "000001"}}},
        "names": {"L": [{"M": {
            "use": {"S": "official"},
            "family": {"S": "Sample"},
            "given": {"L": [{"S": "José"}]}
        }}]},
        "birthDate": {"S": "1980-03-17"},
        "gender": {"S": "female"},
        "telecom": {"L": [{"M": {
            "system": {"S": "phone"},
            "value": {"S": "555-0100"},
            "use": {"S": "home"}
        }}]},
        "consents": {"SS": ["portal", "research"]}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sort keys that come, and the one at which the query stopped.
    fn sort_keys(condition: &str, values: &Value, limit: Option<usize>) -> (Vec<String>, Option<String>) {
        let request = json!({
            "TableName": "items",
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": true,
            "Limit": limit
        });
        let answer = query(request.to_string().as_bytes()).unwrap();
        let sort_key = |item: &Value| item["sk"]["S"].as_str().map(str::to_owned);
        let items = answer["Items"].as_array().unwrap();
        assert_eq!(answer["Count"], items.len());
        (items.iter().filter_map(sort_key).collect(), sort_key(&answer["LastEvaluatedKey"]))
    }

    #[test]
    fn a_query_answers_what_its_condition_and_limit_leave() {
        let (whole, begins) = ("id = :id", "id = :id AND begins_with(sk, :prefix)");
        let patient = |prefix: &str| json!({":id": {"S": "PATIENT#7"}, ":prefix": {"S": prefix}});
        let some = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        for (condition, values, limit, expected, stopped_at) in [
            (whole, json!({":id": {"S": "PATIENT#7"}}), None, some(&["ADDRESS#1", "PATIENT#7"]), None),
            (whole, json!({":id": {"S": "SITE#7"}}), None, some(&[]), None),
            (begins, patient("ADDRESS#"), None, some(&["ADDRESS#1"]), None),
            (begins, patient("ADDRESS#"), Some(50), some(&["ADDRESS#1"]), None),
            (begins, patient("PATIENT#"), Some(1), some(&["PATIENT#7"]), Some("PATIENT#7".to_owned())),
            (begins, patient("ENCOUNTER#"), None, some(&[]), None),
        ] {
            let case = format!("{condition} {values} {limit:?}");
            assert_eq!(sort_keys(condition, &values, limit), (expected, stopped_at), "{case}");
        }
    }

    #[test]
    fn a_condition_that_is_not_played_is_refused() {
        let request = json!({
            "KeyConditionExpression": "id = :id AND sk = :sk",
            "ExpressionAttributeValues": {":id": {"S": "PATIENT#7"}, ":sk": {"S": "ADDRESS#1"}}
        });
        assert_eq!(query(request.to_string().as_bytes()).unwrap_err().code, "ValidationException");
    }

    #[test]
    fn an_item_is_there_or_not() {
        let get = |sort_key: &str| {
            let request = json!({"Key": {"id": {"S": "PATIENT#7"}, "sk": {"S": sort_key}}});
            get_item(request.to_string().as_bytes()).unwrap()
        };
        assert_eq!(get("ADDRESS#1")["Item"]["city"]["S"], "Sampleton");
        assert_eq!(get("ADDRESS#2"), json!({}));
    }
}
