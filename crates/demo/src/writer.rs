//! Writes to the table, many at once, those of one key in their order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::plain_json::to_item;
use crate::source::Write;

const CONCURRENT_KEYS: usize = 16;

/// When each write of a key was sent, in milliseconds since 1970, in the order of the writes.
pub type SentAt = HashMap<(String, String), Vec<u64>>;

/// Writes everything; `written` counts along.
///
/// # Errors
/// Where the table refuses a write.
pub async fn write_all(
    client: &Client,
    table: &str,
    writes: Vec<Write>,
    written: &AtomicUsize,
) -> Result<SentAt> {
    let mut lines: HashMap<(String, String), Vec<Write>> = HashMap::new();
    let mut keys = Vec::new();
    for write in writes {
        let key = write.key();
        let line = lines.entry(key.clone()).or_default();
        if line.is_empty() {
            keys.push(key);
        }
        line.push(write);
    }
    let lines: Vec<_> = keys
        .into_iter()
        .filter_map(|key| {
            let line = lines.remove(&key)?;
            Some((key, line))
        })
        .collect();
    stream::iter(lines)
        .map(|(key, line)| async move {
            let mut sent_at = Vec::with_capacity(line.len());
            for write in line {
                sent_at.push(now());
                send(client, table, write).await?;
                written.fetch_add(1, Ordering::Relaxed);
            }
            Ok((key, sent_at))
        })
        .buffer_unordered(CONCURRENT_KEYS)
        .try_collect()
        .await
}

async fn send(client: &Client, table: &str, write: Write) -> Result<()> {
    match write {
        Write::Put(item) => {
            client
                .put_item()
                .table_name(table)
                .set_item(Some(to_item(item)))
                .send()
                .await
                .context("PutItem")?;
        }
        Write::Remove { id, sk } => {
            client
                .delete_item()
                .table_name(table)
                .key("id", AttributeValue::S(id))
                .key("sk", AttributeValue::S(sk))
                .send()
                .await
                .context("DeleteItem")?;
        }
    }
    Ok(())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
