//! An exported line and the event that it becomes: the line's own bytes, and beside them what a consumer sorts by.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::datastore::DatastoreId;
use super::run::{Run, RunId};
use super::window::Window;
use crate::change::{ChangeId, DataRef, SCHEMA_VERSION};

/// `source` of every event of an exported resource.
pub const EVENT_SOURCE: &str = "tributary.fhir";
pub const DETAIL_TYPE: &str = "FhirResourceChanged";

/// FHIR's `id` type (hl7.org/fhir/R4/datatypes.html#id).
const ID_LETTERS: usize = 64;

/// The `detail` of the event.
///
/// An export may bring a version again, under the same `meta.id`. Keep the version with the highest `meta.lastUpdated`
/// (compare as text), then the highest `meta.versionId` (compare as numbers), and you have the datastore. Either `fhir` is
/// there, or, where the resource is too large for the bus, `dataRef`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FhirResourceChanged<'a> {
    #[serde(borrow)]
    pub meta: ResourceMeta<'a>,
    /// The FHIR R4 resource, as HealthLake exported it.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub fhir: Option<&'a RawValue>,
    /// Where the whole event lies, if it is too large for the bus: an object with the same members as this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_ref: Option<DataRef>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceMeta<'a> {
    /// The same for every delivery of the same version; no two versions share one.
    pub id: ChangeId,
    #[serde(borrow)]
    pub resource_type: Cow<'a, str>,
    #[serde(borrow)]
    pub resource_id: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<Cow<'a, str>>,
    /// In UTC with nine digits after the point, so that the order of the texts is that of the times.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_updated: Option<Cow<'a, str>>,
    /// The run that published it.
    pub correlation_id: RunId,
    pub datastore_id: DatastoreId,
    /// What that run exported.
    pub window: Window,
    #[serde(borrow)]
    pub schema_version: Cow<'a, str>,
}

/// Why a line cannot become an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineReject {
    LineNotUtf8,
    LineNotJson,
    /// JSON, but without a `resourceType` or an `id` as FHIR writes them.
    LineNotResource,
    /// Longer than a publisher holds in memory.
    LineTooLong,
    /// A resource that the bus does not take as the detail of an event.
    LineRefused,
}

impl LineReject {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::LineNotUtf8 => "line-not-utf8",
            Self::LineNotJson => "line-not-json",
            Self::LineNotResource => "line-not-resource",
            Self::LineTooLong => "line-too-long",
            Self::LineRefused => "line-refused",
        }
    }
}

/// A line that is a resource.
#[derive(Debug, PartialEq, Eq)]
pub struct ExportedResource<'a> {
    pub resource_type: Cow<'a, str>,
    id: Cow<'a, str>,
    version_id: Option<Cow<'a, str>>,
    last_updated: Option<Cow<'a, str>>,
    line: &'a str,
}

/// What is read of a line; the rest is checked to be JSON, and carried.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(borrow, default)]
    resource_type: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    meta: MetaMembers<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetaMembers<'a> {
    #[serde(borrow, default)]
    version_id: Cow<'a, str>,
    #[serde(borrow, default)]
    last_updated: Cow<'a, str>,
}

impl<'a> ExportedResource<'a> {
    /// # Errors
    /// Where the line is no FHIR resource.
    pub fn read(line: &'a [u8]) -> Result<Self, LineReject> {
        let line = std::str::from_utf8(line).map_err(|_| LineReject::LineNotUtf8)?.trim_ascii();
        let Members { resource_type, id, meta } = serde_json::from_str(line).map_err(|error| {
            if error.is_data() { LineReject::LineNotResource } else { LineReject::LineNotJson }
        })?;
        // An array is read like an object whose members are in this order.
        if !line.starts_with('{') || !is_type_name(&resource_type) || !is_id(&id) {
            return Err(LineReject::LineNotResource);
        }
        let some = |text: Cow<'a, str>| (!text.is_empty()).then_some(text);
        let version_id = some(meta.version_id).filter(|version_id| is_id(version_id));
        Ok(Self { resource_type, id, version_id, last_updated: some(meta.last_updated), line })
    }

    #[must_use]
    pub fn line_bytes(&self) -> usize {
        self.line.len()
    }

    /// The id of this version, or, where the resource does not say which version it is, of this line.
    #[must_use]
    pub fn change_id(&self, datastore: &DatastoreId) -> ChangeId {
        match (&self.version_id, &self.last_updated) {
            (Some(version_id), Some(last_updated)) => ChangeId::of_resource_version(
                datastore.as_str(),
                &self.resource_type,
                &self.id,
                version_id,
                last_updated,
            ),
            _ => ChangeId::of_resource_line(datastore.as_str(), self.line),
        }
    }
}

fn is_type_name(text: &str) -> bool {
    text.len() <= ID_LETTERS
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_id(text: &str) -> bool {
    (1..=ID_LETTERS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// Writes the events of one run: what is the same in all of them is written once.
#[derive(Debug, Clone)]
pub struct EventWriter {
    datastore: DatastoreId,
    /// The members of `meta` that all events of the run share, with a comma before them and the end of `meta` behind.
    shared_meta: String,
}

impl EventWriter {
    /// About what `meta` takes.
    pub const META_BYTES: usize = 512;

    #[must_use]
    pub fn datastore(&self) -> &DatastoreId {
        &self.datastore
    }

    #[must_use]
    pub fn of(run: &Run) -> Self {
        let shared = serde_json::json!({
            "correlationId": run.key.id,
            "datastoreId": run.datastore.id,
            "window": run.window,
            "schemaVersion": SCHEMA_VERSION,
        });
        let shared = shared.to_string();
        let shared_meta = format!(",{}", shared.strip_prefix('{').unwrap_or_default());
        Self { datastore: run.datastore.id.clone(), shared_meta }
    }

    /// The event's detail, with the line as it is. Answers the event's id.
    pub fn write(&self, resource: &ExportedResource<'_>, detail: &mut String) -> ChangeId {
        let id = self.write_meta(resource, detail);
        detail.push_str(r#","fhir":"#);
        detail.push_str(resource.line);
        detail.push('}');
        id
    }

    /// The detail that refers to where the whole event lies.
    ///
    /// # Errors
    /// Never, as far as is known: a reference can be written as JSON.
    pub fn write_referring(
        &self,
        resource: &ExportedResource<'_>,
        data_ref: &DataRef,
        detail: &mut String,
    ) -> Result<(), serde_json::Error> {
        self.write_meta(resource, detail);
        detail.push_str(r#","dataRef":"#);
        detail.push_str(&serde_json::to_string(data_ref)?);
        detail.push('}');
        Ok(())
    }

    /// Nothing here needs to be escaped: the reader lets no such letter through.
    fn write_meta(&self, resource: &ExportedResource<'_>, detail: &mut String) -> ChangeId {
        let id = resource.change_id(&self.datastore);
        for part in [
            r#"{"meta":{"id":""#,
            id.as_str(),
            r#"","resourceType":""#,
            &resource.resource_type,
            r#"","resourceId":""#,
            &resource.id,
        ] {
            detail.push_str(part);
        }
        detail.push('"');
        if let Some(version_id) = &resource.version_id {
            for part in [r#","versionId":""#, version_id, "\""] {
                detail.push_str(part);
            }
        }
        if let Some(last_updated) =
            resource.last_updated.as_ref().and_then(|text| text.parse::<Timestamp>().ok())
        {
            for part in [r#","lastUpdated":""#, &format!("{last_updated:.9}"), "\""] {
                detail.push_str(part);
            }
        }
        detail.push_str(&self.shared_meta);
        id
    }
}
