//! The table of export runs: one item per datastore with cursor and lease, and one per run.
//!
//! Nothing is decided here. What `domain::export` decided from what was read is written on the condition that it still
//! stands: of a datastore's item its cursor and its lease, of a run's record its revision.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::export::datastore::DatastoreId;
use domain::export::failure::FailureCode;
use domain::export::lease::{LeaseLost, State, renew};
use domain::export::run::{Run, RunKey, RunRecord};
use jiff::Timestamp;
use lambda_support::dependency::DependencyError;
use lambda_support::step::StepError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::sleep;

/// How often a decision is made anew because somebody else wrote in between.
pub const DECISIONS: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(20);

type Item = HashMap<String, AttributeValue>;

/// The table, and the client to reach it.
#[derive(Debug, Clone)]
pub struct ExportRuns {
    pub client: Client,
    pub table_name: String,
}

#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    /// Somebody put something else there, or a newer version of this program did.
    #[error("the item {sort_key} of the table of runs cannot be read")]
    Unreadable { sort_key: String },
    #[error("others wrote the same item {DECISIONS} times in a row")]
    Contended,
}

/// What became of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Swap {
    Written,
    /// What the decision was made from is not what is stored: decide again.
    Overtaken,
}

#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    #[error(transparent)]
    Lost(#[from] LeaseLost),
    #[error(transparent)]
    Runs(#[from] RunsError),
}

/// The state machine tries the step again; an item that cannot be read fails it every time, and the run with it.
impl From<RunsError> for StepError {
    fn from(error: RunsError) -> Self {
        Self::new(FailureCode::DependencyFailed, error.to_string())
    }
}

impl From<RenewError> for StepError {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::Lost(lost) => Self::new(FailureCode::LeaseLost, lost.to_string()),
            RenewError::Runs(error) => error.into(),
        }
    }
}

const STATE_SORT_KEY: &str = "STATE";

impl ExportRuns {
    /// # Errors
    /// Where DynamoDB does not answer, or the item cannot be read.
    pub async fn state(&self, datastore: &DatastoreId) -> Result<Option<State>, RunsError> {
        let Some(item) = self.get_item(datastore, STATE_SORT_KEY).await? else { return Ok(None) };
        let state: State = read(item.clone())?;
        // A time has many spellings, and a condition compares letters: a cursor that an operator wrote is spelt as this
        // program spells it before anything is decided over it.
        if item_of(STATE_SORT_KEY, &state)?.get("cursor") != item.get("cursor") {
            // Overtaken: then what is decided now will be overtaken too, and decided again.
            let _ = self.put(self.state_put(datastore, Some(&item), &state)?).await?;
        }
        Ok(Some(state))
    }

    /// # Errors
    /// Where DynamoDB does not answer, or the item cannot be read.
    pub async fn record(
        &self,
        datastore: &DatastoreId,
        run: &RunKey,
    ) -> Result<Option<RunRecord>, RunsError> {
        self.get_item(datastore, &run.sort_key()).await?.map(read).transpose()
    }

    /// The records of the datastore's runs, the latest first.
    ///
    /// # Errors
    /// Where DynamoDB does not answer, or an item cannot be read.
    pub async fn latest(&self, datastore: &DatastoreId, limit: i32) -> Result<Vec<RunRecord>, RunsError> {
        let output = self
            .client
            .query()
            .table_name(&self.table_name)
            .key_condition_expression("pk = :datastore AND begins_with(sk, :runs)")
            .expression_attribute_values(":datastore", AttributeValue::S(partition_key(datastore)))
            .expression_attribute_values(":runs", AttributeValue::S("RUN#".to_owned()))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(|error| DependencyError::of("dynamodb:Query", &error))?;
        output.items.unwrap_or_default().into_iter().map(read).collect()
    }

    async fn get_item(&self, datastore: &DatastoreId, sort_key: &str) -> Result<Option<Item>, RunsError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table_name)
            .key("pk", AttributeValue::S(partition_key(datastore)))
            .key("sk", AttributeValue::S(sort_key.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| DependencyError::of("dynamodb:GetItem", &error))?;
        Ok(output.item)
    }

    /// Writes the datastore's item in the place of the one that was read.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn write_state(
        &self,
        datastore: &DatastoreId,
        was: Option<&State>,
        state: &State,
    ) -> Result<Swap, RunsError> {
        let was = was.map(|was| item_of(STATE_SORT_KEY, was)).transpose()?;
        self.put(self.state_put(datastore, was.as_ref(), state)?).await
    }

    /// Writes a run's record in the place of its previous revision.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn write_record(&self, datastore: &DatastoreId, record: &RunRecord) -> Result<Swap, RunsError> {
        self.put(self.record_put(datastore, record)?).await
    }

    /// Both, or neither.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn write_both(
        &self,
        datastore: &DatastoreId,
        was: Option<&State>,
        state: &State,
        record: &RunRecord,
    ) -> Result<Swap, RunsError> {
        let was = was.map(|was| item_of(STATE_SORT_KEY, was)).transpose()?;
        let puts = [self.state_put(datastore, was.as_ref(), state)?, self.record_put(datastore, record)?];
        let puts = puts.into_iter().map(|put| TransactWriteItem::builder().put(put).build());
        let written =
            self.client.transact_write_items().set_transact_items(Some(puts.collect())).send().await;
        match written {
            Ok(_) => Ok(Swap::Written),
            Err(error) if is_overtaken(&error) => Ok(Swap::Overtaken),
            Err(error) => Err(DependencyError::of("dynamodb:TransactWriteItems", &error).into()),
        }
    }

    async fn put(&self, put: Put) -> Result<Swap, RunsError> {
        let written = self
            .client
            .put_item()
            .table_name(put.table_name)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_names(put.expression_attribute_names)
            .set_expression_attribute_values(put.expression_attribute_values)
            .send()
            .await;
        match written {
            Ok(_) => Ok(Swap::Written),
            Err(error) if is_overtaken(&error) => Ok(Swap::Overtaken),
            Err(error) => Err(DependencyError::of("dynamodb:PutItem", &error).into()),
        }
    }

    /// On the condition that cursor and lease are as they were read: an operator may have changed them by hand.
    fn state_put(
        &self,
        datastore: &DatastoreId,
        was: Option<&Item>,
        state: &State,
    ) -> Result<Put, RunsError> {
        let mut put = self.unconditional_put(datastore, STATE_SORT_KEY, state)?;
        let Some(was) = was else {
            return built(put.condition_expression("attribute_not_exists(pk)"));
        };
        let mut conditions = vec!["attribute_exists(pk)".to_owned()];
        for name in ["cursor", "leaseRunId", "leaseExpiresAt"] {
            // By a placeholder: `cursor` is one of DynamoDB's reserved words.
            put = put.expression_attribute_names(format!("#{name}"), name);
            match was.get(name) {
                Some(value) => {
                    conditions.push(format!("#{name} = :{name}"));
                    put = put.expression_attribute_values(format!(":{name}"), value.clone());
                }
                None => conditions.push(format!("attribute_not_exists(#{name})")),
            }
        }
        built(put.condition_expression(conditions.join(" AND ")))
    }

    fn record_put(&self, datastore: &DatastoreId, record: &RunRecord) -> Result<Put, RunsError> {
        let put = self.unconditional_put(datastore, &record.key.sort_key(), record)?;
        built(if record.revision == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("revision = :previous").expression_attribute_values(
                ":previous",
                AttributeValue::N((record.revision - 1).to_string()),
            )
        })
    }

    fn unconditional_put(
        &self,
        datastore: &DatastoreId,
        sort_key: &str,
        content: &impl Serialize,
    ) -> Result<aws_sdk_dynamodb::types::builders::PutBuilder, RunsError> {
        let mut item = item_of(sort_key, content)?;
        item.insert("pk".to_owned(), AttributeValue::S(partition_key(datastore)));
        item.insert("sk".to_owned(), AttributeValue::S(sort_key.to_owned()));
        Ok(Put::builder().table_name(&self.table_name).set_item(Some(item)))
    }

    /// Renews the lease where that is due.
    ///
    /// # Errors
    /// Where the lease is not the run's, or DynamoDB does not answer.
    pub async fn renew_lease(&self, run: &Run, now: Timestamp) -> Result<(), RenewError> {
        let datastore = &run.datastore.id;
        for attempt in 0..DECISIONS {
            let state = self.state(datastore).await?;
            let Some(renewed) = renew(state.as_ref(), run, now)? else { return Ok(()) };
            match self.write_state(datastore, state.as_ref(), &renewed).await? {
                Swap::Written => return Ok(()),
                Swap::Overtaken => pause(attempt).await,
            }
        }
        Err(RunsError::Contended.into())
    }
}

/// Between two decisions: the more often somebody else was first, the longer.
pub async fn pause(attempt: u32) {
    let longest = FIRST_PAUSE.saturating_mul(1 << attempt.min(6));
    sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
}

fn partition_key(datastore: &DatastoreId) -> String {
    format!("DATASTORE#{datastore}")
}

fn item_of(sort_key: &str, content: &impl Serialize) -> Result<Item, RunsError> {
    serde_dynamo::to_item(content).map_err(|_| RunsError::Unreadable { sort_key: sort_key.to_owned() })
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, RunsError> {
    let sort_key = item.get("sk").and_then(|sort_key| sort_key.as_s().ok()).cloned().unwrap_or_default();
    serde_dynamo::from_item(item).map_err(|_| RunsError::Unreadable { sort_key })
}

fn built(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<Put, RunsError> {
    put.build().map_err(|_| RunsError::Unreadable { sort_key: STATE_SORT_KEY.to_owned() })
}

/// A condition that does not hold, alone or in a transaction, or a transaction that met another (Amazon DynamoDB API
/// reference, "TransactWriteItems").
fn is_overtaken<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    matches!(
        code,
        Some(
            "ConditionalCheckFailedException"
                | "TransactionCanceledException"
                | "TransactionConflictException"
        )
    )
}
