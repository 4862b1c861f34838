//! An answer, whole or broken.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::time::sleep;

pub type Body = BoxBody<Bytes, &'static str>;

/// Between two pieces, so that they arrive as two.
const PAUSE: Duration = Duration::from_millis(2);

/// What a service answers.
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pieces: Vec<Bytes>,
    /// The connection is cut behind the pieces; before the head, where the status is 0.
    is_cut: bool,
}

impl Reply {
    pub fn json(body: &Value) -> Self {
        Self::of(200, vec![Bytes::from(body.to_string())])
    }

    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self::of(status, vec![body.into()])
    }

    pub fn empty(status: u16) -> Self {
        Self::of(status, Vec::new())
    }

    /// An error, as services that speak JSON tell it.
    pub fn error(status: u16, code: &str) -> Self {
        Self::text(status, json!({"__type": code, "message": "Ngozi"}).to_string())
    }

    /// An error of S3.
    pub fn s3_error(status: u16, code: &str) -> Self {
        Self::text(status, format!("<Error><Code>{code}</Code><Message>Ngozi</Message></Error>"))
    }

    /// No answer at all.
    pub fn cut() -> Self {
        Self { is_cut: true, ..Self::empty(0) }
    }

    pub fn of(status: u16, pieces: Vec<Bytes>) -> Self {
        Self { status, headers: Vec::new(), pieces, is_cut: false }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The body in pieces of that size.
    pub fn in_pieces(mut self, bytes: usize) -> Self {
        let whole = self.pieces.concat();
        self.pieces = whole.chunks(bytes).map(Bytes::copy_from_slice).collect();
        self
    }

    /// The body up to there; the head still promises all of it.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        let whole = self.pieces.concat();
        self.pieces = vec![Bytes::copy_from_slice(&whole[..bytes.min(whole.len())])];
        self.is_cut = true;
        self.with("content-length", whole.len().to_string())
    }

    pub fn into_response(self) -> Result<hyper::Response<Body>, &'static str> {
        if self.status == 0 {
            return Err("cut");
        }
        let mut response = hyper::Response::builder().status(self.status);
        let is_sized = self.headers.iter().any(|(name, _)| *name == "content-length");
        if !is_sized {
            let bytes: usize = self.pieces.iter().map(Bytes::len).sum();
            response = response.header("content-length", bytes);
        }
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let end = self.is_cut.then_some(Err("cut"));
        let frames = stream::iter(self.pieces.into_iter().map(Ok).chain(end)).enumerate().then(
            |(number, piece)| async move {
                if number > 0 {
                    sleep(PAUSE).await;
                }
                piece.map(Frame::data)
            },
        );
        Ok(response.body(BodyExt::boxed(StreamBody::new(frames))).unwrap())
    }
}
