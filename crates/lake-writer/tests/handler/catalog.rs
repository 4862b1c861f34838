//! A Glue catalog that keeps partitions.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex};

use aws_sdk_glue::Client;
use aws_sdk_glue::operation::batch_create_partition::{
    BatchCreatePartitionError, BatchCreatePartitionInput, BatchCreatePartitionOutput,
};
use aws_sdk_glue::operation::batch_update_partition::BatchUpdatePartitionOutput;
use aws_sdk_glue::operation::get_table::{GetTableError, GetTableOutput};
use aws_sdk_glue::types::error::InvalidInputException;
use aws_sdk_glue::types::{
    BatchUpdatePartitionFailureEntry, Column, ErrorDetail, PartitionError, PartitionInput, StorageDescriptor,
    Table,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

type Partitions = BTreeMap<Vec<String>, PartitionInput>;

/// Its clones share what they keep.
#[derive(Clone, Default)]
pub struct Glue {
    is_down: bool,
    /// The outermost value of a partition with which it has a problem.
    refused: Option<&'static str>,
    /// And which then fails its whole request.
    chokes: bool,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    columns: Vec<String>,
    partitions: Partitions,
    tables_read: usize,
    /// Partitions of each request to create some.
    requests: Vec<usize>,
    updated: usize,
}

impl Glue {
    pub fn open() -> Self {
        Self::default()
    }

    pub fn down() -> Self {
        Self { is_down: true, ..Self::default() }
    }

    pub fn refusing(value: &'static str) -> Self {
        Self { refused: Some(value), ..Self::default() }
    }

    /// With the partitions of this one.
    pub fn now_refusing(&self, value: &'static str) -> Self {
        Self { refused: Some(value), ..self.clone() }
    }

    pub fn choking_on(value: &'static str) -> Self {
        Self { refused: Some(value), chokes: true, ..Self::default() }
    }

    pub fn add_column(&self, name: &str) {
        self.kept.lock().unwrap().columns.push(name.to_owned());
    }

    /// Where each partition has its files.
    pub fn registered(&self) -> BTreeMap<Vec<String>, String> {
        let location =
            |input: &PartitionInput| input.storage_descriptor().unwrap().location().unwrap().to_owned();
        let kept = self.kept.lock().unwrap();
        kept.partitions.iter().map(|(values, input)| (values.clone(), location(input))).collect()
    }

    pub fn columns(&self) -> BTreeMap<Vec<String>, Vec<String>> {
        let names = |input: &PartitionInput| {
            let columns = input.storage_descriptor().unwrap().columns();
            columns.iter().map(|column| column.name().to_owned()).collect()
        };
        let kept = self.kept.lock().unwrap();
        kept.partitions.iter().map(|(values, input)| (values.clone(), names(input))).collect()
    }

    pub fn tables_read(&self) -> usize {
        self.kept.lock().unwrap().tables_read
    }

    pub fn requests(&self) -> Vec<usize> {
        self.kept.lock().unwrap().requests.clone()
    }

    pub fn created(&self) -> usize {
        self.kept.lock().unwrap().partitions.len()
    }

    pub fn updated(&self) -> usize {
        self.kept.lock().unwrap().updated
    }

    pub fn client(&self) -> Client {
        mock_client!(
            aws_sdk_glue,
            RuleMode::MatchAny,
            &[self.get_table(), self.choke(), self.create(), self.update()]
        )
    }

    fn get_table(&self) -> Rule {
        if self.is_down {
            return mock!(Client::get_table).then_error(|| GetTableError::unhandled("down"));
        }
        let kept = self.kept.clone();
        mock!(Client::get_table).then_compute_output(move |request| {
            assert_eq!((request.database_name(), request.name()), (Some("tributary_test"), Some("raw")));
            let mut kept = kept.lock().unwrap();
            kept.tables_read += 1;
            let columns =
                kept.columns.iter().map(|name| Column::builder().name(name).build().unwrap()).collect();
            let descriptor =
                StorageDescriptor::builder().set_columns(Some(columns)).location("s3://lake/raw/items/");
            let table = Table::builder().name("raw").storage_descriptor(descriptor.build()).build().unwrap();
            GetTableOutput::builder().table(table).build()
        })
    }

    fn choke(&self) -> Rule {
        let glue = self.clone();
        mock!(Client::batch_create_partition)
            .match_requests(move |request| glue.chokes_on(request))
            .then_error(|| {
                let meta =
                    aws_sdk_glue::error::ErrorMetadata::builder().code("InvalidInputException").build();
                let error = InvalidInputException::builder().meta(meta).build();
                BatchCreatePartitionError::InvalidInputException(error)
            })
    }

    fn chokes_on(&self, request: &BatchCreatePartitionInput) -> bool {
        self.chokes && request.partition_input_list().iter().any(|input| self.refuses(input.values()))
    }

    fn refuses(&self, values: &[String]) -> bool {
        self.refused.is_some_and(|refused| values.first().is_some_and(|value| value == refused))
    }

    fn create(&self) -> Rule {
        let (glue, choking) = (self.clone(), self.clone());
        mock!(Client::batch_create_partition)
            .match_requests(move |request| !choking.chokes_on(request))
            .then_compute_output(move |request| {
                assert_eq!(
                    (request.database_name(), request.table_name()),
                    (Some("tributary_test"), Some("raw"))
                );
                let mut kept = glue.kept.lock().unwrap();
                kept.requests.push(request.partition_input_list().len());
                let mut errors = Vec::new();
                for input in request.partition_input_list() {
                    let values = input.values().to_vec();
                    match kept.partitions.entry(values.clone()) {
                        Entry::Occupied(_) => errors.push(error(values, "AlreadyExistsException")),
                        Entry::Vacant(_) if glue.refuses(&values) => {
                            errors.push(error(values, "InternalServiceException"));
                        }
                        Entry::Vacant(entry) => drop(entry.insert(input.clone())),
                    }
                }
                BatchCreatePartitionOutput::builder().set_errors(Some(errors)).build()
            })
    }

    fn update(&self) -> Rule {
        let glue = self.clone();
        mock!(Client::batch_update_partition).then_compute_output(move |request| {
            let mut kept = glue.kept.lock().unwrap();
            let mut errors = Vec::new();
            for entry in request.entries() {
                let values = entry.partition_value_list().to_vec();
                if glue.refuses(&values) {
                    let detail = ErrorDetail::builder().error_code("ConcurrentModificationException").build();
                    let error = BatchUpdatePartitionFailureEntry::builder();
                    errors.push(error.set_partition_value_list(Some(values)).error_detail(detail).build());
                } else {
                    kept.updated += 1;
                    kept.partitions.insert(values, entry.partition_input().unwrap().clone());
                }
            }
            BatchUpdatePartitionOutput::builder().set_errors(Some(errors)).build()
        })
    }
}

fn error(values: Vec<String>, code: &str) -> PartitionError {
    let detail = ErrorDetail::builder().error_code(code).build();
    PartitionError::builder().set_partition_values(Some(values)).error_detail(detail).build()
}
