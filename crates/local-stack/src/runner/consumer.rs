//! Who reads a stream: a pipe, or an event source mapping of Lambda.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Error, Result};

use super::Clients;
use super::batch::Record;
use super::invocation::Response;
use super::mapping::{self, Mapping};
use super::pipe::{self, Pipe};
use super::retries::{Condition, Failure, RetryPolicy};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consumer {
    /// The pipe's name, or the mapping's UUID.
    pub name: String,
    pub source: Source,
    pub target: Target,
}

/// What is read, and how it is cut into batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub stream_arn: String,
    pub from_trim_horizon: bool,
    /// Event patterns, of which a record has to match one; none lets every record pass.
    pub filters: Vec<String>,
    pub batch_size: usize,
    pub window: Duration,
    pub retries: RetryPolicy,
}

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Pipe(Pipe),
    Mapping(Mapping),
}

/// What an attempt left undelivered.
#[derive(Debug)]
pub(crate) struct Undelivered {
    pub records: Vec<Record>,
    pub failure: Failure,
    /// `None` where the function itself reported the records.
    pub error: Option<Error>,
    /// `None` where the function was not invoked.
    pub response: Option<Response>,
}

/// Records that nobody will try again.
pub(crate) struct GivenUp<'a> {
    pub records: &'a [Record],
    pub condition: Condition,
    pub invocations: u32,
    /// Of the last invocation.
    pub response: Option<&'a Response>,
}

/// Everyone who is to read a stream, by name.
pub(crate) async fn consumers(clients: &Clients) -> Result<HashMap<String, Consumer>> {
    let mut consumers = pipe::definition::running(&clients.pipes).await?;
    consumers.extend(mapping::definition::enabled(&clients.lambda).await?);
    Ok(consumers.into_iter().map(|consumer| (consumer.name.clone(), consumer)).collect())
}

impl Consumer {
    /// Tries once to deliver the batch; tells what is left of it.
    pub(crate) async fn attempt(&self, clients: &Clients, batch: &[Record]) -> Option<Undelivered> {
        match &self.target {
            Target::Pipe(pipe) => pipe.attempt(clients, batch).await,
            Target::Mapping(mapping) => mapping.attempt(clients, batch).await,
        }
    }

    /// # Errors
    /// Where the place for what was given up does not take it.
    pub(crate) async fn give_up(&self, clients: &Clients, shard: &str, given_up: &GivenUp<'_>) -> Result<()> {
        match &self.target {
            Target::Pipe(pipe) => pipe.give_up(clients, &self.source, shard, given_up).await,
            Target::Mapping(mapping) => {
                mapping.give_up(clients, &self.name, &self.source, shard, given_up).await
            }
        }
    }
}
