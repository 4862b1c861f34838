//! The one port that a function knows: the Runtime API, and every service that it calls.

use std::error::Error;
use std::sync::Arc;

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::runtime_api::RuntimeApi;

/// The AWS services that a function calls, as far as it needs them.
pub trait Services: Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    fn answer(&self, request: Request<Bytes>) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// Ends its connections when it is aborted.
pub(crate) async fn serve<S: Services>(
    listener: TcpListener,
    runtime_api: Arc<RuntimeApi>,
    services: Arc<S>,
) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        // A small answer goes out at once, not after the kernel has waited for more of it.
        drop(connection.set_nodelay(true));
        let (runtime_api, services) = (runtime_api.clone(), services.clone());
        connections.spawn(async move {
            let service = service_fn(|request| answer_to(&runtime_api, &*services, request));
            // A connection ends when the process does: nothing to report.
            drop(http1::Builder::new().serve_connection(TokioIo::new(connection), service).await);
        });
    }
}

async fn answer_to<S: Services>(
    runtime_api: &RuntimeApi,
    services: &S,
    request: Request<Incoming>,
) -> Result<Response<Either<Full<Bytes>, S::Body>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if let Some(operation) = head.uri.path().strip_prefix("/2018-06-01/runtime/") {
        return Ok(runtime_api.answer(operation, body).await.map(Either::Left));
    }
    Ok(services.answer(Request::from_parts(head, body)).await.map(Either::Right))
}
