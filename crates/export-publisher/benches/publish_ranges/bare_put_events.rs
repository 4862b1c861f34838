//! What publishing is compared with: a function that sends ready-made requests to the same bus over the same client,
//! as many at once as the publisher does, and does nothing else.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::export::resource::{DETAIL_TYPE, EVENT_SOURCE, EventWriter, ExportedResource};
use futures_util::{StreamExt, stream};
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::clients;
use lambda_support::put_events::REQUEST_ENTRIES;
use serde::{Deserialize, Serialize};

use crate::ndjson_file::NdjsonFile;
use crate::{BUS_NAME, run};

/// Requests under way at once: the publisher's number.
const REQUESTS: usize = 64;

#[derive(Debug, Deserialize, Serialize)]
pub struct BareEvent {
    pub requests: usize,
}

#[tokio::main(flavor = "current_thread")]
pub async fn serve() -> Result<(), lambda_runtime::Error> {
    let client = &Client::new(&clients::sdk_config().await?);
    let requests = &ready_made()?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<BareEvent>| async move {
        let mut under_way = stream::iter(requests.iter().cycle().take(event.payload.requests))
            .map(|entries| client.put_events().set_entries(Some(entries.clone())).send())
            .buffer_unordered(REQUESTS);
        while let Some(sent) = under_way.next().await {
            sent.map_err(|_| "PutEvents failed")?;
        }
        Ok::<_, lambda_runtime::Error>(())
    }))
    .await
}

fn ready_made() -> Result<Vec<Vec<PutEventsRequestEntry>>, lambda_runtime::Error> {
    let file = NdjsonFile::of((REQUESTS * REQUEST_ENTRIES) as u64);
    let writer = EventWriter::of(&run());
    let mut entries = Vec::new();
    for number in 0..file.lines_before(file.bytes()) {
        let line = file.line(number);
        let resource = ExportedResource::read(&line).map_err(|_| "a line is no resource")?;
        let mut detail = String::new();
        writer.write(&resource, &mut detail);
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(BUS_NAME)
            .source(EVENT_SOURCE)
            .detail_type(DETAIL_TYPE)
            .detail(detail);
        entries.push(entry.build());
    }
    Ok(entries.chunks(REQUEST_ENTRIES).map(<[_]>::to_vec).collect())
}
