//! S3, with path-style addresses: claim checks and dead letters.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};

use super::md5;

/// By the path of their address: bucket and key.
#[derive(Default)]
pub(super) struct Objects(Mutex<HashMap<String, Bytes>>);

impl Objects {
    pub(super) fn put(&self, path: &str, object: Bytes) -> Response<Full<Bytes>> {
        let etag = format!("\"{}\"", md5(&object));
        self.by_path().insert(path.to_owned(), object);
        Response::builder().header("etag", etag).body(Full::default()).unwrap_or_default()
    }

    pub(super) fn get(&self, path: &str) -> Response<Full<Bytes>> {
        match self.by_path().get(path) {
            Some(object) => Response::new(Full::new(object.clone())),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        }
    }

    fn by_path(&self) -> MutexGuard<'_, HashMap<String, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn error(status: StatusCode, code: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(format!("<Error><Code>{code}</Code></Error>")));
    *answer.status_mut() = status;
    answer
}
