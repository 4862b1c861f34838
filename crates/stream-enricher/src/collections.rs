//! What the table holds of the patients in a batch.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::change::Image;
use domain::items::{ADDRESS_SORT_KEY_PREFIX, Collection, Needed, PATIENT_SORT_KEY_PREFIX};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_support::dependency::DependencyError;

use crate::State;

/// Addresses of one patient that go into a resource. One page of a query holds at most 1 MB (Amazon DynamoDB API
/// reference, "Query"), so that what is read of a patient is bounded in bytes too.
const ADDRESSES: u8 = 50;

const CONCURRENT_PATIENTS: usize = 16;

/// Reads of each patient what is needed, once.
pub(crate) async fn read(
    state: &State,
    needed: HashMap<&str, Needed>,
) -> Result<HashMap<String, Collection>, DependencyError> {
    stream::iter(needed)
        .map(|(patient, needed)| async move {
            Ok((patient.to_owned(), read_collection(state, patient, needed).await?))
        })
        .buffer_unordered(CONCURRENT_PATIENTS)
        .try_collect()
        .await
}

/// One query for each prefix: in one range over both lie the patient's encounters and observations, too.
async fn read_collection(
    state: &State,
    partition_key: &str,
    needed: Needed,
) -> Result<Collection, DependencyError> {
    let patient = async {
        if needed < Needed::PatientAndAddresses {
            return Ok(None);
        }
        let patients = query(state, partition_key, PATIENT_SORT_KEY_PREFIX, 1).await?;
        Ok(patients.items.into_values().next())
    };
    // One more than is used: a query that stops at its limit names a next key whether or not an item follows.
    let limit = i32::from(ADDRESSES) + 1;
    let (patient, Page { items: mut addresses, is_cut }) =
        tokio::try_join!(patient, query(state, partition_key, ADDRESS_SORT_KEY_PREFIX, limit))?;
    let mut truncated = is_cut;
    while addresses.len() > usize::from(ADDRESSES) {
        addresses.pop_last();
        truncated = true;
    }
    Ok(Collection { patient, addresses, truncated })
}

struct Page {
    /// As plain JSON, under their sort keys.
    items: BTreeMap<String, String>,
    /// It stopped at its limit, of items or of bytes.
    is_cut: bool,
}

/// One page of the items whose sort key begins with the prefix. Consistent, so that a change is never enriched with a
/// table older than the change itself.
async fn query(
    state: &State,
    partition_key: &str,
    prefix: &str,
    limit: i32,
) -> Result<Page, DependencyError> {
    let output = state
        .dynamodb
        .query()
        .table_name(&state.config.items_table_name)
        .key_condition_expression("id = :id AND begins_with(sk, :prefix)")
        .expression_attribute_values(":id", AttributeValue::S(partition_key.to_owned()))
        .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
        .consistent_read(true)
        .limit(limit)
        .send()
        .await
        .map_err(|error| DependencyError::of("dynamodb:Query", &error))?;
    let is_cut = output.last_evaluated_key.is_some();
    let items = output.items.unwrap_or_default().into_iter().filter_map(plain_item).collect();
    Ok(Page { items, is_cut })
}

/// The item's sort key and its plain JSON, by the way that a stream's image takes.
fn plain_item(item: HashMap<String, AttributeValue>) -> Option<(String, String)> {
    let sort_key = item.get("sk")?.as_s().ok()?.clone();
    let attributes = serde_json::to_string(&serde_dynamo::Item::from(item)).ok()?;
    let image: Image = serde_json::from_str(&attributes).ok()?;
    Some((sort_key, image.json))
}
