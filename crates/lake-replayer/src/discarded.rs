//! What Lambda writes of a batch that it gave up.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// AWS Lambda developer guide, "Retain discarded records for a DynamoDB event source in Lambda".
pub(crate) enum Discarded<'a> {
    /// The event that the function did not take.
    Batch(Cow<'a, str>),
    OfAnother,
}

impl<'a> Discarded<'a> {
    /// `None` where it is no such object.
    pub(crate) fn read(json: &'a str, writer: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            request_context: RequestContext,
            #[serde(borrow)]
            payload: &'a RawValue,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct RequestContext {
            function_arn: String,
        }
        #[derive(Deserialize)]
        struct Records {
            #[serde(rename = "Records")]
            _records: Vec<IgnoredAny>,
        }

        let wire: Wire<'a> = serde_json::from_str(json).ok()?;
        // arn:aws:lambda:region:account:function:name, and perhaps :version.
        if wire.request_context.function_arn.split(':').nth(6) != Some(writer) {
            return Some(Self::OfAnother);
        }
        let payload = wire.payload.get();
        // The guide shows a text; an object would be as good.
        let event = if payload.starts_with('"') {
            Cow::Owned(serde_json::from_str::<String>(payload).ok()?)
        } else {
            Cow::Borrowed(payload)
        };
        serde_json::from_str::<Records>(&event).ok()?;
        Some(Self::Batch(event))
    }
}
