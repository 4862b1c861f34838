//! Objects, by the paths of their bucket and key.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;

use super::{Call, Reply, World};

/// Keys in one page of a list: few, so that there is a second.
const PAGE: usize = 2;

pub fn etag(content: &Bytes) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

impl World {
    pub fn object_store(&mut self, operation: &str, call: &Call) -> Reply {
        let place = call.uri.path().trim_start_matches('/');
        if operation == "PutObject" {
            assert_ne!(call.header("content-encoding"), "aws-chunked");
            self.objects.insert(place.to_owned(), call.body.clone());
            return Reply::empty(200);
        }
        if operation == "ListBucket" {
            return self.list(place.trim_end_matches('/'), call.uri.query().unwrap());
        }
        let Some(content) = self.objects.get(place) else {
            return match operation {
                "HeadObject" => Reply::empty(404),
                _ => Reply::s3_error(404, "NoSuchKey"),
            };
        };
        let etag = etag(content);
        if !["", &etag].contains(&call.header("if-match")) {
            return Reply::s3_error(412, "PreconditionFailed");
        }
        let reply = match (operation, call.header("range")) {
            ("HeadObject", _) => Reply::empty(200).with("content-length", content.len().to_string()),
            (_, "") => Reply::text(200, content.clone()),
            (_, range) => {
                let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
                assert!(first <= last && last < content.len(), "{range} of {}", content.len());
                let content_range = format!("bytes {first}-{last}/{}", content.len());
                Reply::text(206, content.slice(first..=last)).with("content-range", content_range)
            }
        };
        reply.with("etag", etag)
    }

    fn list(&self, bucket: &str, query: &str) -> Reply {
        let parameter = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.unwrap_or_default().replace("%2F", "/")
        };
        let (prefix, after) = (parameter("prefix"), parameter("continuation-token"));
        let keys = self.objects.keys().filter_map(|place| place.strip_prefix(bucket)?.strip_prefix('/'));
        let mut keys = keys.filter(|key| key.starts_with(&prefix) && *key > after.as_str());
        let page: Vec<&str> = keys.by_ref().take(PAGE).collect();
        let next = match (keys.next(), page.last()) {
            (Some(_), Some(last)) => {
                format!(
                    "<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"
                )
            }
            _ => "<IsTruncated>false</IsTruncated>".to_owned(),
        };
        let keys = page.join("</Key></Contents><Contents><Key>");
        let contents =
            if page.is_empty() { String::new() } else { format!("<Contents><Key>{keys}</Key></Contents>") };
        Reply::text(200, format!("<ListBucketResult>{next}{contents}</ListBucketResult>"))
    }
}
