//! A bucket.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws_smithy_types::base64;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Call, Reply, World};

/// Keys in one page of a list: few, so that there is a second.
const PAGE: usize = 5;

#[derive(Debug, Clone)]
pub struct Object {
    pub body: Bytes,
    pub modified: Timestamp,
}

impl World {
    pub fn put(&mut self, key: &str, body: impl Into<Bytes>) {
        self.objects.insert(key.to_owned(), Object { body: body.into(), modified: self.now });
    }

    /// The keys below a prefix.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub fn object_store(&mut self, call: &Call) -> Reply {
        match call.operation.as_str() {
            "PutObject" => {
                assert_ne!(call.header("content-encoding"), "aws-chunked");
                assert_eq!(call.header("if-none-match"), "*", "nothing is overwritten");
                let sha256 = call.header("x-amz-checksum-sha256");
                assert!(sha256.is_empty() || sha256 == base64::encode(Sha256::digest(&call.body)));
                let key = call.key();
                if self.objects.contains_key(&key) {
                    return Reply::s3_error(412, "PreconditionFailed");
                }
                self.put(&key, call.body.clone());
                Reply::of(200, "")
            }
            "GetObject" => match self.objects.get(&call.key()) {
                Some(object) => Reply::of(200, object.body.clone()),
                None => Reply::s3_error(404, "NoSuchKey"),
            },
            "DeleteObjects" => {
                let body = String::from_utf8(call.body.to_vec()).unwrap();
                for part in body.split("<Key>").skip(1) {
                    let key = part.split("</Key>").next().unwrap().replace("&amp;", "&");
                    self.objects.remove(&key);
                }
                Reply::of(200, "<DeleteResult/>")
            }
            _ => self.list(call.uri.query().unwrap()),
        }
    }

    fn list(&self, query: &str) -> Reply {
        let parameter = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            percent_encoding::percent_decode_str(value.unwrap_or_default())
                .decode_utf8()
                .unwrap()
                .into_owned()
        };
        let (prefix, after) = (parameter("prefix"), parameter("continuation-token"));
        if parameter("delimiter") == "/" {
            let folders: BTreeSet<&str> = self
                .objects
                .keys()
                .filter_map(|key| Some(&key[..=prefix.len() + key.strip_prefix(&prefix)?.find('/')?]))
                .collect();
            let mut body = String::from("<ListBucketResult>");
            for folder in folders {
                let _ = write!(body, "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>");
            }
            return Reply::of(200, body + "</ListBucketResult>");
        }
        let mut keys = self.objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
        let page: Vec<_> = keys.by_ref().take(PAGE).collect();
        let mut body = String::from("<ListBucketResult>");
        for (key, object) in &page {
            let (key, bytes) = (key.replace('&', "&amp;"), object.body.len());
            let _ = write!(
                body,
                "<Contents><Key>{key}</Key><Size>{bytes}</Size><LastModified>{}</LastModified></Contents>",
                object.modified
            );
        }
        if let (Some(_), Some((last, _))) = (keys.next(), page.last()) {
            let _ = write!(body, "<NextContinuationToken>{last}</NextContinuationToken>");
        }
        Reply::of(200, body + "</ListBucketResult>")
    }
}
