//! A bucket, a catalog and a lake that live in a test.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_glue::operation::batch_create_partition::BatchCreatePartitionOutput;
use aws_sdk_glue::operation::get_table::GetTableOutput;
use aws_sdk_glue::types::{StorageDescriptor, Table};
use aws_sdk_s3::error::ErrorMetadata;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::CommonPrefix;
use aws_sdk_s3::types::error::NoSuchKey;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use domain::lake::object_key::Compression;
use domain::lake::{LakeConfig, Row};
use lake_backfill::Backfill;
use lake_writer::{Catalog, Lake};
use md5::{Digest as _, Md5};
use serde_json::json;

pub const LAKE: &str = "lake";
pub const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/tributary-test-items";

/// Every bucket, and which calls fail.
#[derive(Clone, Default)]
pub struct Store {
    pub objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    puts: Arc<AtomicUsize>,
    refused_put: Arc<AtomicUsize>,
    /// How many puts are refused from that one on.
    refusals: Arc<AtomicUsize>,
    /// Of how many objects the body breaks off, one after the other.
    pub broken_bodies: Arc<AtomicUsize>,
}

fn refused(code: &str) -> ErrorMetadata {
    ErrorMetadata::builder().code(code).build()
}

impl Store {
    pub fn put(&self, bucket: &str, key: &str, body: Vec<u8>) {
        self.objects.lock().unwrap().insert(format!("{bucket}/{key}"), body);
    }

    /// The objects whose keys begin so.
    pub fn under(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let objects = self.objects.lock().unwrap();
        objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, it)| (key.clone(), it.clone()))
            .collect()
    }

    pub fn puts(&self) -> usize {
        self.puts.load(Ordering::SeqCst)
    }

    /// The put of that number fails, counted from now on, and all that follow: the process has ended.
    pub fn end_at_put(&self, number: usize) {
        self.puts.store(0, Ordering::SeqCst);
        self.refused_put.store(number, Ordering::SeqCst);
        self.refusals.store(usize::MAX - number, Ordering::SeqCst);
    }

    /// The put of that number fails, counted from now on, and no other.
    pub fn refuse_put(&self, number: usize) {
        self.end_at_put(number);
        self.refusals.store(1, Ordering::SeqCst);
    }

    pub fn client(&self) -> aws_sdk_s3::Client {
        let (puts, gets, lists) = (self.clone(), self.clone(), self.clone());
        let put = mock!(aws_sdk_s3::Client::put_object).then_compute_response(move |request| {
            let number = puts.puts.fetch_add(1, Ordering::SeqCst) + 1;
            let (first, count) =
                (puts.refused_put.load(Ordering::SeqCst), puts.refusals.load(Ordering::SeqCst));
            if first > 0 && (first..first + count).contains(&number) {
                return MockResponse::Error(PutObjectError::generic(refused("AccessDenied")));
            }
            let body = request.body().bytes().unwrap().to_vec();
            puts.put(request.bucket().unwrap(), request.key().unwrap(), body);
            MockResponse::Output(PutObjectOutput::builder().build())
        });
        let get = mock!(aws_sdk_s3::Client::get_object).then_compute_response(move |request| {
            let key = format!("{}/{}", request.bucket().unwrap(), request.key().unwrap());
            let Some(body) = gets.objects.lock().unwrap().get(&key).cloned() else {
                let error = NoSuchKey::builder().meta(refused("NoSuchKey")).build();
                return MockResponse::Error(GetObjectError::NoSuchKey(error));
            };
            let etag = format!("{:?}", Md5::digest(&body));
            if request.if_match().is_some_and(|wanted| wanted != etag) {
                return MockResponse::Error(GetObjectError::generic(refused("PreconditionFailed")));
            }
            let breaks_off = key.contains("/data/")
                && gets
                    .broken_bodies
                    .try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                    .is_ok();
            let body = if breaks_off { ByteStream::new(SdkBody::taken()) } else { ByteStream::from(body) };
            MockResponse::Output(GetObjectOutput::builder().e_tag(etag).body(body).build())
        });
        let list = mock!(aws_sdk_s3::Client::list_objects_v2).then_compute_output(move |request| {
            assert_eq!(request.delimiter(), Some("/"));
            let prefix = format!("{}/{}", request.bucket().unwrap(), request.prefix().unwrap());
            let mut found: Vec<String> = Vec::new();
            for key in lists.under(&prefix).into_keys() {
                let (folder, _) = key[prefix.len()..].split_once('/').unwrap();
                found.push(format!("{}{folder}/", request.prefix().unwrap()));
            }
            found.dedup();
            let folders = found.into_iter().map(|folder| CommonPrefix::builder().prefix(folder).build());
            ListObjectsV2Output::builder().set_common_prefixes(Some(folders.collect())).build()
        });
        mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&put, &get, &list])
    }

    /// A backfill as a process begins it.
    pub fn backfill(&self, chunk_bytes: usize) -> Backfill {
        let table = mock!(aws_sdk_glue::Client::get_table).then_output(|| {
            let descriptor = StorageDescriptor::builder().build();
            let table = Table::builder().name("raw").storage_descriptor(descriptor).build().unwrap();
            GetTableOutput::builder().table(table).build()
        });
        let create = mock!(aws_sdk_glue::Client::batch_create_partition)
            .then_output(|| BatchCreatePartitionOutput::builder().build());
        let glue = mock_client!(aws_sdk_glue, RuleMode::MatchAny, [&table, &create]);
        let config = json!({
            "table": "items",
            "partition": {"attributes": ["itemType"], "time": {"from": "change", "unit": "day"}},
            "columns": {"name": "string", "weight": "decimal(38,9)"},
        });
        let lake = Lake {
            config: LakeConfig::parse(&config.to_string()).unwrap(),
            compression: Compression::Zstd,
            s3: self.client(),
            bucket_name: LAKE.to_owned(),
            catalog: Catalog::new(glue, "tributary_test".to_owned(), "raw".to_owned()),
        };
        Backfill::new(lake, chunk_bytes)
    }

    /// All rows of the lake, by key.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for body in self.under("lake/raw/").into_values() {
            let lines = String::from_utf8(zstd::decode_all(body.as_slice()).unwrap()).unwrap();
            rows.extend(lines.lines().map(|line| Row::read_line(line).unwrap()));
        }
        rows.sort_by(|a, b| (&a.id, &a.sk).cmp(&(&b.id, &b.sk)));
        rows
    }
}
