//! The partitions of a table, as the Glue catalog knows them.
//!
//! A query sees the folders that are registered, and of a folder the columns that were registered with it (Athena user
//! guide, "Updates in tables with partitions"). So a folder is registered before its rows count as written, and registered
//! anew by each process that writes to it, in which the table may have gained a column.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{BatchUpdatePartitionRequestEntry, ErrorDetail, PartitionInput, StorageDescriptor};
use domain::lake::Partition;
use lambda_support::dependency::DependencyError;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

/// AWS Glue API reference, "BatchCreatePartition" and "BatchUpdatePartition": at most 100 a request.
const REQUEST_PARTITIONS: usize = 100;

/// Partitions that a process remembers; beyond that it begins anew.
const REMEMBERED: usize = 10_000;

const CREATE: &str = "glue:BatchCreatePartition";
const UPDATE: &str = "glue:BatchUpdatePartition";

/// Registers the partitions of one table.
#[derive(Debug)]
pub struct Catalog {
    client: Client,
    database_name: String,
    table_name: String,
    /// How the table's files are read. It comes from the table itself, so that the CDK app alone says it.
    descriptor: OnceCell<StorageDescriptor>,
    registered: Mutex<HashSet<Partition>>,
}

/// A partition, and the folder with its files: `s3://bucket/raw/items/siteId=2/`.
#[derive(Debug, Clone)]
pub struct Location {
    pub partition: Partition,
    pub uri: String,
}

/// Partitions that could not be registered, and why.
pub type Unregistered = HashMap<Partition, DependencyError>;

impl Catalog {
    #[must_use]
    pub fn new(client: Client, database_name: String, table_name: String) -> Self {
        Self {
            client,
            database_name,
            table_name,
            descriptor: OnceCell::new(),
            registered: Mutex::new(HashSet::new()),
        }
    }

    /// Registers those that this process has not registered yet.
    pub async fn register(&self, mut locations: Vec<Location>, until: Instant) -> Unregistered {
        {
            let registered = self.registered();
            locations.retain(|location| !registered.contains(&location.partition));
        }
        let mut unregistered = Unregistered::new();
        for chunk in locations.chunks(REQUEST_PARTITIONS) {
            match self.register_chunk(chunk, until).await {
                Ok(failed) => unregistered.extend(failed),
                // One of them may be the cause, and is not to stop the others (I3).
                Err(error) if chunk.len() > 1 && is_refusal(&error) => {
                    for location in chunk {
                        let alone = std::slice::from_ref(location);
                        match self.register_chunk(alone, until).await {
                            Ok(failed) => unregistered.extend(failed),
                            Err(error) => drop(unregistered.insert(location.partition.clone(), error)),
                        }
                    }
                }
                Err(error) => {
                    unregistered.extend(chunk.iter().map(|it| (it.partition.clone(), error.clone())));
                }
            }
        }
        let mut registered = self.registered();
        if registered.len() + locations.len() > REMEMBERED {
            registered.clear();
        }
        let done = locations.into_iter().map(|it| it.partition).filter(|it| !unregistered.contains_key(it));
        registered.extend(done);
        unregistered
    }

    fn registered(&self) -> MutexGuard<'_, HashSet<Partition>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn register_chunk(
        &self,
        chunk: &[Location],
        until: Instant,
    ) -> Result<Unregistered, DependencyError> {
        let descriptor = self.descriptor(until).await?;
        let mut failed = Unregistered::new();
        let mut known = Vec::new();
        for (location, code) in self.create(chunk, descriptor, until).await? {
            if code == "AlreadyExistsException" {
                known.push(location);
            } else {
                failed.insert(location.partition.clone(), DependencyError { operation: CREATE, code });
            }
        }
        if !known.is_empty() {
            for (location, code) in self.update(&known, descriptor, until).await? {
                failed.insert(location.partition.clone(), DependencyError { operation: UPDATE, code });
            }
        }
        Ok(failed)
    }

    async fn descriptor(&self, until: Instant) -> Result<&StorageDescriptor, DependencyError> {
        const OPERATION: &str = "glue:GetTable";
        let get = async || {
            let request = self.client.get_table().database_name(&self.database_name).name(&self.table_name);
            let answer = timeout_at(until, request.send()).await.map_err(|_| out_of_time(OPERATION))?;
            let table = answer.map_err(|error| DependencyError::of(OPERATION, &error))?.table;
            table.and_then(|table| table.storage_descriptor).ok_or_else(|| DependencyError {
                operation: OPERATION,
                code: "the table says not how its files are read".to_owned(),
            })
        };
        self.descriptor.get_or_try_init(get).await
    }

    async fn create<'l>(
        &self,
        chunk: &'l [Location],
        descriptor: &StorageDescriptor,
        until: Instant,
    ) -> Result<Vec<(&'l Location, String)>, DependencyError> {
        let inputs = chunk.iter().map(|location| input(location, descriptor)).collect();
        let request = self
            .client
            .batch_create_partition()
            .database_name(&self.database_name)
            .table_name(&self.table_name)
            .set_partition_input_list(Some(inputs));
        let answer = timeout_at(until, request.send()).await.map_err(|_| out_of_time(CREATE))?;
        let errors = answer.map_err(|error| DependencyError::of(CREATE, &error))?.errors.unwrap_or_default();
        let errors = errors.into_iter().map(|error| (error.partition_values, error.error_detail));
        of_locations(CREATE, chunk.iter(), errors)
    }

    async fn update<'l>(
        &self,
        known: &[&'l Location],
        descriptor: &StorageDescriptor,
        until: Instant,
    ) -> Result<Vec<(&'l Location, String)>, DependencyError> {
        let entry = |location: &Location| {
            BatchUpdatePartitionRequestEntry::builder()
                .set_partition_value_list(Some(values(location)))
                .partition_input(input(location, descriptor))
                .build()
        };
        let entries: Result<Vec<_>, _> = known.iter().map(|location| entry(location)).collect();
        let entries = entries.map_err(|_| DependencyError {
            operation: UPDATE,
            code: "the request could not be built".to_owned(),
        })?;
        let request = self
            .client
            .batch_update_partition()
            .database_name(&self.database_name)
            .table_name(&self.table_name)
            .set_entries(Some(entries));
        let answer = timeout_at(until, request.send()).await.map_err(|_| out_of_time(UPDATE))?;
        let errors = answer.map_err(|error| DependencyError::of(UPDATE, &error))?.errors.unwrap_or_default();
        let errors = errors.into_iter().map(|error| (error.partition_value_list, error.error_detail));
        of_locations(UPDATE, known.iter().copied(), errors)
    }
}

/// Which locations the errors of an answer are about, and their codes. An error about none of them is one of the request.
fn of_locations<'l>(
    operation: &'static str,
    locations: impl Iterator<Item = &'l Location>,
    errors: impl Iterator<Item = (Option<Vec<String>>, Option<ErrorDetail>)>,
) -> Result<Vec<(&'l Location, String)>, DependencyError> {
    let by_values: HashMap<Vec<String>, &Location> = locations.map(|it| (values(it), it)).collect();
    errors
        .map(|(values, detail)| {
            let code = detail.and_then(|detail| detail.error_code);
            let code = code.unwrap_or_else(|| "an error without a code".to_owned());
            match values.and_then(|values| by_values.get(&values).copied()) {
                Some(location) => Ok((location, code)),
                None => Err(DependencyError { operation, code }),
            }
        })
        .collect()
}

fn input(location: &Location, descriptor: &StorageDescriptor) -> PartitionInput {
    let mut descriptor = descriptor.clone();
    descriptor.location = Some(location.uri.clone());
    PartitionInput::builder().set_values(Some(values(location))).storage_descriptor(descriptor).build()
}

fn values(location: &Location) -> Vec<String> {
    location.partition.values().map(str::to_owned).collect()
}

/// AWS Glue API reference, "BatchCreatePartition": the error about what was sent.
fn is_refusal(error: &DependencyError) -> bool {
    error.code == "InvalidInputException"
}

fn out_of_time(operation: &'static str) -> DependencyError {
    DependencyError { operation, code: "the time was up".to_owned() }
}
