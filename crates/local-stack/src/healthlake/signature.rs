//! Whether a request carries a signature of version 4 that this stack's credentials make (IAM user guide, "AWS
//! Signature Version 4 for API requests").

use std::time::SystemTime;

use aws_sdk_s3::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST, HeaderName};
use hyper::{Request, StatusCode};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::answer::{Answer, aws_json};
use crate::endpoint::REGION;

const SERVICE: &str = "healthlake";
const SECRET: &str = "local";
/// How far a signature's time may be from the present.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
const DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// Why a request is refused, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureFault {
    Missing,
    Incomplete,
    /// Of another service, region or day.
    Scope,
    /// Too old, or from the future.
    Time,
    Mismatch,
}

impl SignatureFault {
    pub(crate) fn answer(self) -> Answer {
        let (exception, message) = match self {
            Self::Missing => ("MissingAuthenticationTokenException", "Missing Authentication Token"),
            Self::Incomplete => (
                "IncompleteSignatureException",
                "Authorization needs AWS4-HMAC-SHA256 with Credential, SignedHeaders (host and x-amz-date among \
                 them) and Signature, beside X-Amz-Date.",
            ),
            Self::Scope => (
                "InvalidSignatureException",
                "Credential should be scoped to the day of X-Amz-Date, to this region and to healthlake.",
            ),
            Self::Time => ("InvalidSignatureException", "Signature expired, or not yet current."),
            Self::Mismatch => (
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided.",
            ),
        };
        aws_json(StatusCode::FORBIDDEN, &json!({"__type": exception, "message": message}))
    }
}

/// The members of `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
struct Authorization<'h> {
    access_key_id: &'h str,
    date: &'h str,
    region: &'h str,
    service: &'h str,
    signed_headers: Vec<&'h str>,
    signature: &'h str,
}

impl<'h> Authorization<'h> {
    fn parse(header: &'h str) -> Option<Self> {
        let members = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let member = |name: &str| {
            members.split(',').find_map(|member| member.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let credential: Vec<&str> = member("Credential")?.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = credential.as_slice() else {
            return None;
        };
        Some(Self {
            access_key_id,
            date,
            region,
            service,
            signed_headers: member("SignedHeaders")?.split(';').collect(),
            signature: member("Signature")?,
        })
    }
}

/// The secret is the stack's; the access key may be any, for functions have their account's number there.
pub(crate) fn verify(request: &Request<Bytes>, now: Timestamp) -> Result<(), SignatureFault> {
    let header = |name: &HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let authorization = header(&AUTHORIZATION).ok_or(SignatureFault::Missing)?;
    let authorization = Authorization::parse(authorization).ok_or(SignatureFault::Incomplete)?;
    let date_time = header(&DATE).ok_or(SignatureFault::Incomplete)?;
    let time = time(date_time).ok_or(SignatureFault::Incomplete)?;
    let host = header(&HOST).ok_or(SignatureFault::Incomplete)?;
    let is_signed = |name: &HeaderName| authorization.signed_headers.contains(&name.as_str());
    if !is_signed(&HOST) || !is_signed(&DATE) {
        return Err(SignatureFault::Incomplete);
    }
    let is_of_that_day = date_time.get(..8) == Some(authorization.date);
    if authorization.region != REGION || authorization.service != SERVICE || !is_of_that_day {
        return Err(SignatureFault::Scope);
    }
    if now.duration_since(time).abs() > TOLERANCE {
        return Err(SignatureFault::Time);
    }
    let expected = signature(request, &authorization, host, time).ok_or(SignatureFault::Incomplete)?;
    if expected == authorization.signature { Ok(()) } else { Err(SignatureFault::Mismatch) }
}

/// `20261122T071400Z`
fn time(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// Signs the request anew, with the headers that are said to be signed and no other.
fn signature(
    request: &Request<Bytes>,
    authorization: &Authorization<'_>,
    host: &str,
    time: Timestamp,
) -> Option<String> {
    let mut headers = Vec::new();
    for name in &authorization.signed_headers {
        for value in request.headers().get_all(*name) {
            headers.push((*name, value.to_str().ok()?));
        }
    }
    let uri = format!("http://{host}{}", request.uri());
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(request.method().as_str(), uri, headers.into_iter(), body).ok()?;
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    let identity =
        Credentials::new(authorization.access_key_id, SECRET, None, None, "the local stack").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(SERVICE)
        .time(SystemTime::from(time))
        .settings(settings)
        .build()
        .ok()?;
    Some(sign(signable, &parameters.into()).ok()?.signature().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signed as a client signs.
    fn signed(
        change: impl FnOnce(&mut SigningSettings),
        secret: &str,
        region: &str,
        service: &str,
    ) -> Request<Bytes> {
        let mut request = Request::builder()
            .method("POST")
            .uri("/datastore/0123/r4/$export?_since=2026-11-22T00%3A00%3A00Z&_type=Patient")
            .header(HOST, "127.0.0.1:4567")
            .header("content-type", "application/fhir+json")
            .body(Bytes::from_static(b"{}"))
            .unwrap();
        let identity = Credentials::new("local", secret, None, None, "a test").into();
        let mut settings = SigningSettings::default();
        change(&mut settings);
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(SystemTime::from(moment()))
            .settings(settings)
            .build()
            .unwrap();
        let uri = format!("http://127.0.0.1:4567{}", request.uri());
        let headers: Vec<(String, String)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new("POST", uri, headers, SignableBody::Bytes(b"{}")).unwrap();
        let (instructions, _) = sign(signable, &parameters.into()).unwrap().into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request
    }

    fn moment() -> Timestamp {
        "2026-11-22T07:14:00Z".parse().unwrap()
    }

    fn good() -> Request<Bytes> {
        signed(|_| (), "local", REGION, SERVICE)
    }

    #[test]
    fn what_this_stacks_credentials_signed_is_accepted() {
        assert_eq!(verify(&good(), moment()), Ok(()));
        assert_eq!(verify(&good(), moment() + SignedDuration::from_secs(299)), Ok(()));
    }

    #[test]
    fn anything_else_is_refused() {
        let changed = |change: fn(&mut Request<Bytes>)| {
            let mut request = good();
            change(&mut request);
            verify(&request, moment())
        };
        let cases = [
            (verify(&signed(|_| (), "other", REGION, SERVICE), moment()), SignatureFault::Mismatch),
            (verify(&signed(|_| (), "local", "eu-west-1", SERVICE), moment()), SignatureFault::Scope),
            (verify(&signed(|_| (), "local", REGION, "s3"), moment()), SignatureFault::Scope),
            (verify(&good(), moment() + SignedDuration::from_secs(301)), SignatureFault::Time),
            (verify(&good(), moment() - SignedDuration::from_secs(301)), SignatureFault::Time),
            (changed(|it| *it.body_mut() = Bytes::from_static(b"{ }")), SignatureFault::Mismatch),
            (changed(|it| *it.method_mut() = hyper::Method::PUT), SignatureFault::Mismatch),
            (
                changed(|it| *it.uri_mut() = "/datastore/0123/r4/$export".parse().unwrap()),
                SignatureFault::Mismatch,
            ),
            (
                changed(|it| drop(it.headers_mut().insert("content-type", "text/plain".parse().unwrap()))),
                SignatureFault::Mismatch,
            ),
            (
                changed(|it| drop(it.headers_mut().insert(HOST, "127.0.0.1:4568".parse().unwrap()))),
                SignatureFault::Mismatch,
            ),
            (changed(|it| drop(it.headers_mut().remove(AUTHORIZATION))), SignatureFault::Missing),
            (changed(|it| drop(it.headers_mut().remove(DATE))), SignatureFault::Incomplete),
            (
                changed(|it| drop(it.headers_mut().insert(DATE, "20261121T071400Z".parse().unwrap()))),
                SignatureFault::Scope,
            ),
            (
                changed(|it| drop(it.headers_mut().insert(AUTHORIZATION, "Bearer x".parse().unwrap()))),
                SignatureFault::Incomplete,
            ),
            (
                verify(
                    &signed(|it| it.excluded_headers = Some(vec!["host".into()]), "local", REGION, SERVICE),
                    moment(),
                ),
                SignatureFault::Incomplete,
            ),
        ];
        for (position, (verified, expected)) in cases.into_iter().enumerate() {
            assert_eq!(verified, Err(expected), "case {position}");
        }
    }
}
