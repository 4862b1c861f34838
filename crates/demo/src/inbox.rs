//! What arrives in the queues, as a consumer takes it out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use aws_sdk_s3 as s3;
use aws_sdk_sqs as sqs;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use domain::change::{ChangeEvent, DataRef, Operation, RejectNotice};
use domain::export::resource::FhirResourceChanged;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::deployment::Deployment;
use crate::queue;

/// A change event that came out of a queue, or from S3 where the message only said where.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub queue: String,
    pub detail_type: String,
    pub change_id: String,
    pub key: (String, String),
    pub sequence: String,
    pub operation: Operation,
    pub change_type: String,
    pub removed_by_ttl: bool,
    pub claim_checked: bool,
    pub has_fhir: bool,
    /// Size of the message in the queue.
    pub message_bytes: usize,
    /// When the queue took the message, in milliseconds since 1970.
    pub arrived_at: u64,
    /// The event's `detail`, whole.
    pub event: Box<RawValue>,
}

impl Arrival {
    /// The event with its members read.
    ///
    /// # Errors
    /// Where it is no change event.
    pub fn event(&self) -> Result<ChangeEvent<'_>> {
        serde_json::from_str(self.event.get()).context("a message that is no change event")
    }
}

/// An exported resource that came out of its queue, or from S3 where the message only said where.
#[derive(Debug, Clone)]
pub struct ResourceArrival {
    pub id: String,
    /// Which run sent it.
    pub run: String,
    pub datastore_id: String,
    pub resource_type: String,
    pub resource_id: String,
    pub version_id: Option<String>,
    pub last_updated: Option<String>,
    pub claim_checked: bool,
    pub fhir: Box<RawValue>,
}

/// An event about a run.
#[derive(Debug, Clone)]
pub struct RunArrival {
    pub detail_type: String,
    pub run: String,
    pub detail: Value,
}

/// Everything that has arrived so far.
#[derive(Debug, Default)]
pub struct Arrivals {
    pub changes: Vec<Arrival>,
    pub resources: Vec<ResourceArrival>,
    pub runs: Vec<RunArrival>,
    pub rejects: Vec<RejectNotice>,
}

/// Takes messages out of every queue until it is closed.
pub struct Inbox {
    pub arrivals: Arc<Mutex<Arrivals>>,
    consumers: JoinSet<Result<()>>,
}

impl Inbox {
    /// # Errors
    /// Where the deployment has no rejects queue.
    pub fn open(deployment: &Deployment) -> Result<Self> {
        let arrivals = Arc::new(Mutex::new(Arrivals::default()));
        let sqs = sqs::Client::new(&deployment.config);
        let s3 = s3::Client::new(&deployment.config);
        let mut consumers = JoinSet::new();
        for (detail_type, url) in deployment.change_queues() {
            let (sqs, s3, arrivals) = (sqs.clone(), s3.clone(), arrivals.clone());
            consumers.spawn(async move {
                loop {
                    let mut changes = Vec::new();
                    for (body, arrived_at) in take(&sqs, &url).await? {
                        changes.push(read_change(&s3, &detail_type, &body, arrived_at).await?);
                    }
                    arrivals.lock().await.changes.extend(changes);
                }
            });
        }
        let rejects_url = deployment.output("RejectsQueueUrl")?.to_owned();
        let all = arrivals.clone();
        let rejects = sqs.clone();
        consumers.spawn(async move {
            loop {
                for (body, _) in take(&rejects, &rejects_url).await? {
                    let notice = serde_json::from_str(&body).context("a message of the rejects queue")?;
                    all.lock().await.rejects.push(notice);
                }
            }
        });
        if let Ok(url) = deployment.output("FhirResourceChangesQueueUrl") {
            let (sqs, s3, all, url) = (sqs.clone(), s3.clone(), arrivals.clone(), url.to_owned());
            consumers.spawn(async move {
                loop {
                    let mut resources = Vec::new();
                    for (body, _) in take(&sqs, &url).await? {
                        resources.push(read_resource(&s3, &body).await?);
                    }
                    all.lock().await.resources.extend(resources);
                }
            });
        }
        if let Ok(url) = deployment.output("ExportRunsQueueUrl") {
            let (sqs, all, url) = (sqs.clone(), arrivals.clone(), url.to_owned());
            consumers.spawn(async move {
                loop {
                    for (body, _) in take(&sqs, &url).await? {
                        let run = read_run(&body)?;
                        all.lock().await.runs.push(run);
                    }
                }
            });
        }
        Ok(Self { arrivals, consumers })
    }

    /// # Errors
    /// The first error of a consumer, if there was one.
    pub fn check(&mut self) -> Result<()> {
        match self.consumers.try_join_next() {
            None => Ok(()),
            Some(ended) => ended?,
        }
    }
}

/// Receives up to ten messages and removes them. Waits a second for the first.
async fn take(client: &sqs::Client, url: &str) -> Result<Vec<(String, u64)>> {
    let received = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .wait_time_seconds(1)
        .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
        .send()
        .await
        .context("ReceiveMessage")?;
    let messages = received.messages.unwrap_or_default();
    queue::delete(client, url, &messages).await?;
    Ok(messages
        .into_iter()
        .map(|message| {
            let sent = message.attributes.and_then(|attributes| {
                attributes.get(&MessageSystemAttributeName::SentTimestamp)?.parse().ok()
            });
            (message.body.unwrap_or_default(), sent.unwrap_or_default())
        })
        .collect())
}

/// What EventBridge puts around an event (EventBridge user guide, "AWS service event metadata").
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "detail-type")]
    detail_type: String,
    detail: Box<RawValue>,
}

async fn read_change(s3: &s3::Client, queue: &str, body: &str, arrived_at: u64) -> Result<Arrival> {
    let envelope: Envelope = serde_json::from_str(body).context("a message that is no event")?;
    let announced: ChangeEvent<'_> =
        serde_json::from_str(envelope.detail.get()).context("a message that is no change event")?;
    let claim_checked = announced.data_ref.is_some();
    let event = match &announced.data_ref {
        None => envelope.detail.clone(),
        Some(data_ref) => serde_json::from_str(&fetch(s3, data_ref).await?)?,
    };
    let read: ChangeEvent<'_> = serde_json::from_str(event.get()).context("no change event")?;
    let item: HashMap<String, Box<RawValue>> =
        serde_json::from_str(read.item.context("an event without an item")?.get())?;
    let text = |name: &str| -> Result<String> {
        Ok(serde_json::from_str(item.get(name).context("an item without its key")?.get())?)
    };
    Ok(Arrival {
        queue: queue.to_owned(),
        detail_type: envelope.detail_type,
        change_id: read.meta.id.to_string(),
        key: (text("id")?, text("sk")?),
        sequence: read.meta.sequence.as_str().to_owned(),
        operation: read.meta.operation,
        change_type: read.meta.change_type.into_owned(),
        removed_by_ttl: read.meta.removed_by.is_some(),
        claim_checked,
        has_fhir: read.fhir.is_some(),
        message_bytes: body.len(),
        arrived_at,
        event: event.clone(),
    })
}

async fn read_resource(s3: &s3::Client, body: &str) -> Result<ResourceArrival> {
    let envelope: Envelope = serde_json::from_str(body).context("a message that is no event")?;
    let announced: FhirResourceChanged<'_> =
        serde_json::from_str(envelope.detail.get()).context("a message that is no exported resource")?;
    let claim_checked = announced.data_ref.is_some();
    let event = match &announced.data_ref {
        None => envelope.detail.clone(),
        Some(data_ref) => serde_json::from_str(&fetch(s3, data_ref).await?)?,
    };
    let FhirResourceChanged { meta, fhir, .. } =
        serde_json::from_str(event.get()).context("no exported resource")?;
    Ok(ResourceArrival {
        id: meta.id.to_string(),
        run: meta.correlation_id.0,
        datastore_id: meta.datastore_id.0,
        resource_type: meta.resource_type.into_owned(),
        resource_id: meta.resource_id.into_owned(),
        version_id: meta.version_id.map(Cow::into_owned),
        last_updated: meta.last_updated.map(Cow::into_owned),
        claim_checked,
        fhir: fhir.context("an event without its resource")?.to_owned(),
    })
}

fn read_run(body: &str) -> Result<RunArrival> {
    let envelope: Envelope = serde_json::from_str(body).context("a message that is no event")?;
    let detail: Value = serde_json::from_str(envelope.detail.get())?;
    let run =
        detail.pointer("/meta/correlationId").and_then(Value::as_str).context("an event without its run")?;
    Ok(RunArrival { detail_type: envelope.detail_type, run: run.to_owned(), detail })
}

async fn fetch(s3: &s3::Client, data_ref: &DataRef) -> Result<String> {
    let object =
        s3.get_object().bucket(&data_ref.bucket).key(&data_ref.key).send().await.context("GetObject")?;
    let bytes = object.body.collect().await?.to_vec();
    anyhow::ensure!(bytes.len() == data_ref.bytes, "{} has not the size that its event says", data_ref.key);
    Ok(String::from_utf8(bytes)?)
}
