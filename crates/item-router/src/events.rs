//! Change events on their way to the bus.

use std::collections::HashSet;

use domain::change::{ChangeMeta, KeyHash, write_referring_event};
use domain::items::detail_type;
use futures_util::{StreamExt, stream};
use lambda_support::objects::put_json;
use lambda_support::put_events::{Entry, Fate};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::State;

const CONCURRENT_UPLOADS: usize = 8;

/// A change event, and the record that it is of.
pub(crate) struct Routed<'a> {
    pub event_id: String,
    pub key: Option<KeyHash>,
    pub event: &'a RawValue,
}

#[derive(Default)]
pub(crate) struct Routing {
    /// The `eventID`s of what the bus did not take.
    pub failed: Vec<String>,
    pub claim_checked: usize,
}

/// An entry for the bus, and the change that it is of.
struct Prepared<'a> {
    event_id: String,
    meta: ChangeMeta<'a>,
    entry: Entry,
    claim_checked: bool,
}

/// Puts every event on the bus. One that is too large goes to S3 first, and its event says where.
pub(crate) async fn route(state: &State, changes: Vec<Routed<'_>>, until: Instant) -> Routing {
    let mut routing = Routing::default();
    let prepared = prepare_all(state, changes, until, &mut routing).await;
    let too_large = send(state, prepared, until, &mut routing).await;
    if too_large.is_empty() {
        return routing;
    }
    // The bus takes less than it is configured for. What stands behind these in their lines has failed: the pipe brings
    // it again, in order.
    let mut claim_checked = Vec::with_capacity(too_large.len());
    for prepared in too_large {
        let event_id = prepared.event_id.clone();
        match claim_check(state, prepared, until).await {
            Some(prepared) => claim_checked.push(prepared),
            None => routing.failed.push(event_id),
        }
    }
    let refused = send(state, claim_checked, until, &mut routing).await;
    routing.failed.extend(refused.into_iter().map(|prepared| prepared.event_id));
    routing
}

/// The entries in the order of their changes. Behind a change that cannot be prepared, its key's later ones wait too.
async fn prepare_all<'a>(
    state: &State,
    changes: Vec<Routed<'a>>,
    until: Instant,
    routing: &mut Routing,
) -> Vec<Prepared<'a>> {
    let mut prepared = Vec::with_capacity(changes.len());
    let mut blocked = HashSet::new();
    let mut preparing = stream::iter(changes)
        .map(|routed| async {
            let (event_id, key) = (routed.event_id.clone(), routed.key.clone());
            (event_id, key, prepare(state, routed, until).await)
        })
        .buffered(CONCURRENT_UPLOADS);
    while let Some((event_id, key, result)) = preparing.next().await {
        let is_blocked = key.as_ref().is_some_and(|key| blocked.contains(key));
        match result {
            Some(entry) if !is_blocked => prepared.push(entry),
            _ => {
                blocked.extend(key);
                routing.failed.push(event_id);
            }
        }
    }
    prepared
}

async fn prepare<'a>(state: &State, routed: Routed<'a>, until: Instant) -> Option<Prepared<'a>> {
    // Without `meta` the enricher is of another release; the pipe tries again until both are deployed.
    let meta = ChangeMeta::of_event(routed.event)?;
    let prepared = Prepared {
        event_id: routed.event_id,
        entry: Entry {
            detail_type: detail_type(&meta.item_type),
            detail: routed.event.get().to_owned(),
            key: routed.key,
        },
        meta,
        claim_checked: false,
    };
    if state.bus.entry_bytes(&prepared.entry) <= state.bus.event_bytes() {
        Some(prepared)
    } else {
        claim_check(state, prepared, until).await
    }
}

/// Stores the event under a key that is a function of its change, and makes it one that says where. `None` where S3 has
/// not taken it when the time is up.
async fn claim_check<'a>(state: &State, mut prepared: Prepared<'a>, until: Instant) -> Option<Prepared<'a>> {
    let key = format!("changes/{}.json", prepared.meta.id);
    let event = std::mem::take(&mut prepared.entry.detail);
    let storing = put_json(&state.s3, &state.config.claim_check_bucket_name, key, event);
    let stored = timeout_at(until, storing).await.ok()?;
    let data_ref = stored
        .inspect_err(|error| tracing::warn!(change_id = %prepared.meta.id, %error, "claim check failed"))
        .ok()?;
    write_referring_event(&prepared.meta, &data_ref, &mut prepared.entry.detail);
    Some(Prepared { claim_checked: true, ..prepared })
}

/// Gives back what the bus refused for its size.
async fn send<'a>(
    state: &State,
    prepared: Vec<Prepared<'a>>,
    until: Instant,
    routing: &mut Routing,
) -> Vec<Prepared<'a>> {
    let (entries, changes): (Vec<Entry>, Vec<_>) = prepared
        .into_iter()
        .map(|Prepared { event_id, meta, entry, claim_checked }| (entry, (event_id, meta, claim_checked)))
        .unzip();
    let fates = state.bus.put(&entries, until).await;
    let mut too_large = Vec::new();
    for ((entry, (event_id, meta, claim_checked)), fate) in entries.into_iter().zip(changes).zip(fates) {
        match fate {
            Fate::Accepted => routing.claim_checked += usize::from(claim_checked),
            Fate::Failed | Fate::Refused => routing.failed.push(event_id),
            Fate::TooLarge => too_large.push(Prepared { event_id, meta, entry, claim_checked }),
        }
    }
    too_large
}
