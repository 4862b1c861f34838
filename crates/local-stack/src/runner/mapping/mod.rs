//! An event source mapping of Lambda: a function, and a destination for what is given up.

pub(crate) mod definition;
mod destination;
mod partial_failure;

use anyhow::Result;
use serde::Serialize;
use serde_json::value::RawValue;

use super::Clients;
use super::batch::Record;
use super::consumer::{GivenUp, Source, Undelivered};
use super::invocation::invoke;
use super::retries::Failure;
use destination::Destination;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub function_arn: String,
    pub reports_batch_item_failures: bool,
    pub destination: Option<Destination>,
}

impl Mapping {
    pub(crate) async fn attempt(&self, clients: &Clients, batch: &[Record]) -> Option<Undelivered> {
        let undelivered = |from: usize, failure, error, response| {
            let records = batch.get(from..).unwrap_or_default().to_vec();
            Some(Undelivered { records, failure, error, response })
        };
        let response = match invoke_with(clients, &self.function_arn, batch).await {
            Ok(response) => response,
            Err(error) => return undelivered(0, Failure::NotInvoked, Some(error), None),
        };
        let failed_from = response.answer().and_then(|answer| {
            if self.reports_batch_item_failures { partial_failure::begin(batch, answer) } else { Ok(None) }
        });
        match failed_from {
            Ok(None) => None,
            Ok(Some(0)) => undelivered(0, Failure::Failed, None, Some(response)),
            Ok(Some(begin)) => undelivered(begin, Failure::FailedFrom, None, Some(response)),
            Err(error) => undelivered(0, Failure::Failed, Some(error), Some(response)),
        }
    }

    pub(crate) async fn give_up(
        &self,
        clients: &Clients,
        uuid: &str,
        source: &Source,
        shard: &str,
        given_up: &GivenUp<'_>,
    ) -> Result<()> {
        let Some(destination) = &self.destination else { return Ok(()) };
        let failed = destination::FailedInvocation {
            uuid,
            function_arn: &self.function_arn,
            stream_arn: &source.stream_arn,
            shard,
            given_up,
        };
        destination.send(clients, &failed).await
    }
}

/// The event that Lambda hands to functions: the records under one name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    records: Vec<&'a RawValue>,
}

impl<'a> Event<'a> {
    fn of(records: &'a [Record]) -> Self {
        Self { records: records.iter().map(|record| &*record.json).collect() }
    }
}

async fn invoke_with(
    clients: &Clients,
    function_arn: &str,
    batch: &[Record],
) -> Result<super::invocation::Response> {
    invoke(&clients.lambda, function_arn, serde_json::to_vec(&Event::of(batch))?).await
}
