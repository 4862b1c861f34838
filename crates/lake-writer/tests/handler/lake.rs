//! The lake under test, and buckets that keep what they get.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectInput, PutObjectOutput};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::lake::LakeConfig;
use domain::lake::object_key::Compression;
use lake_writer::{Catalog, Lake};

use crate::catalog::Glue;

pub fn config() -> LakeConfig {
    LakeConfig::parse(
        r#"{"table": "items",
            "partition": {"attributes": ["ward"], "time": {"from": "change", "unit": "day"}},
            "columns": {"weight": "decimal(5,2)", "born": "string"}}"#,
    )
    .unwrap()
}

pub fn lake(compression: Compression, bucket: &Bucket, glue: &Glue) -> Lake {
    Lake {
        config: config(),
        compression,
        s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, &bucket.rules()),
        bucket_name: "lake".to_owned(),
        catalog: Catalog::new(glue.client(), "tributary_test".to_owned(), "raw".to_owned()),
    }
}

type Objects = BTreeMap<String, Vec<u8>>;

/// All buckets: objects by bucket and key.
pub struct Bucket {
    refused: Option<&'static str>,
    puts: Arc<Mutex<(usize, Objects)>>,
}

impl Bucket {
    pub fn open() -> Self {
        Self { refused: None, puts: Arc::default() }
    }

    /// Does not take objects with such a key.
    pub fn refusing(part: &'static str) -> Self {
        Self { refused: Some(part), puts: Arc::default() }
    }

    pub fn objects(&self) -> Objects {
        self.puts.lock().unwrap().1.clone()
    }

    pub fn puts(&self) -> usize {
        self.puts.lock().unwrap().0
    }

    fn rules(&self) -> Vec<Rule> {
        let (refused, puts) = (self.refused, self.puts.clone());
        let is_refused =
            move |request: &PutObjectInput| refused.is_some_and(|part| request.key().unwrap().contains(part));
        vec![
            mock!(aws_sdk_s3::Client::put_object)
                .match_requests(move |request| is_refused(request))
                .then_error(|| PutObjectError::unhandled("down")),
            mock!(aws_sdk_s3::Client::put_object)
                .match_requests(move |request| !is_refused(request))
                .then_compute_output(move |request| {
                    let mut puts = puts.lock().unwrap();
                    puts.0 += 1;
                    let key = format!("{}/{}", request.bucket().unwrap(), request.key().unwrap());
                    puts.1.insert(key, request.body().bytes().unwrap().to_vec());
                    PutObjectOutput::builder().build()
                }),
        ]
    }
}
