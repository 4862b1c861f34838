//! What HealthLake says about its jobs on the default bus (developer guide, "Monitoring HealthLake with EventBridge").

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Credentials;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::job::{Job, JobStatus};
use super::times::rfc3339;

/// The access key of those who may send events of AWS itself on the stack.
const SERVICE: &str = "local-service";

struct Event {
    detail_type: &'static str,
    detail: Value,
}

/// Sends events in the order in which they happened, without holding up the job.
pub(crate) struct Announcer {
    events: UnboundedSender<Event>,
}

impl Announcer {
    /// Runs until the last announcer is gone.
    pub(crate) fn start(config: &SdkConfig) -> Self {
        let config = aws_sdk_eventbridge::config::Builder::from(config)
            .credentials_provider(Credentials::new(SERVICE, SERVICE, None, None, SERVICE))
            .build();
        let (sender, receiver) = unbounded_channel();
        tokio::spawn(send_all(Client::from_conf(config), receiver));
        Self { events: sender }
    }

    /// Says nothing of a cancelled job, as AWS does.
    pub(crate) fn announce(&self, job: &Job) {
        let Some(detail_type) = detail_type(job.status) else { return };
        let detail = json!({
            "jobId": job.id,
            "submitTime": rfc3339(job.submitted_at),
            "datastoreId": job.datastore_id,
            "outputDataConfig": {
                "s3Configuration": {"s3Uri": job.folder(), "kmsKeyId": job.request.kms_key_id},
            },
        });
        // The task that receives ends with the process.
        let _ = self.events.send(Event { detail_type, detail });
    }
}

fn detail_type(status: JobStatus) -> Option<&'static str> {
    match status {
        JobStatus::Submitted => Some("Export Job Submitted"),
        JobStatus::Queued => Some("Export Job Queued"),
        JobStatus::InProgress => Some("Export Job In Progress"),
        JobStatus::Completed => Some("Export Job Completed"),
        JobStatus::CompletedWithErrors => Some("Export Job Completed With Errors"),
        JobStatus::Failed => Some("Export Job Failed"),
        JobStatus::CancelSubmitted | JobStatus::CancelInProgress | JobStatus::CancelCompleted => None,
    }
}

async fn send_all(client: Client, mut events: UnboundedReceiver<Event>) {
    while let Some(Event { detail_type, detail }) = events.recv().await {
        let entry = PutEventsRequestEntry::builder()
            .source("aws.healthlake")
            .detail_type(detail_type)
            .detail(detail.to_string())
            .build();
        match client.put_events().entries(entry).send().await {
            Ok(output) if output.failed_entry_count == 0 => (),
            Ok(_) => tracing::warn!(detail_type, "the bus refused an event"),
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(detail_type, error, "an event was not sent");
            }
        }
    }
}
