//! A FHIR resource as text: what is stored is what came, but for its id and two members of its `meta`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::resource_types::is_resource_type;
use super::times::rfc3339;

/// The members that lead from a resource to its patient. The true compartment (FHIR R4, "Compartment Patient") has more
/// of them, and some that lie deeper.
const PATIENT_MEMBERS: [&str; 5] = ["subject", "patient", "individual", "beneficiary", "for"];

/// The members of a JSON object, in their order, with the text of their values. Numbers keep their digits.
struct Members<'t>(Vec<(String, Cow<'t, str>)>);

impl<'t> Members<'t> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| &**value)
    }

    /// A new member goes behind the last of those named, or to the front.
    fn set(&mut self, name: &str, value: Cow<'t, str>, behind: &[&str]) {
        if let Some((_, present)) = self.0.iter_mut().find(|(member, _)| member == name) {
            *present = value;
            return;
        }
        let last = self.0.iter().rposition(|(member, _)| behind.contains(&&**member));
        self.0.insert(last.map_or(0, |last| last + 1), (name.to_owned(), value));
    }

    /// On one line. A line break in JSON is white space: a text has it escaped.
    fn to_line(&self) -> String {
        let mut line = String::from("{");
        for (position, (name, value)) in self.0.iter().enumerate() {
            if position > 0 {
                line.push(',');
            }
            line.push_str(&quoted(name));
            line.push(':');
            line.extend(value.chars().filter(|character| !matches!(character, '\n' | '\r')));
        }
        line.push('}');
        line
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((name, Cow::Borrowed(value.get())));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// What a text lacks to be a resource. It quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidResource {
    JsonObject,
    ResourceType,
    Id,
    Meta,
}

impl fmt::Display for InvalidResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::JsonObject => "it is no JSON object",
            Self::ResourceType => "its resourceType is none of FHIR R4",
            Self::Id => "its id is missing, or has other than 1 to 64 letters, digits, '-' and '.'",
            Self::Meta => "its meta is no object",
        })
    }
}

/// A resource on its way into the store.
pub(crate) struct Draft<'t> {
    members: Members<'t>,
    pub resource_type: String,
}

impl<'t> Draft<'t> {
    pub(crate) fn parse(text: &'t str) -> Result<Self, InvalidResource> {
        let members: Members<'t> = serde_json::from_str(text).map_err(|_| InvalidResource::JsonObject)?;
        let resource_type = text_of(members.get("resourceType"))
            .filter(|name| is_resource_type(name))
            .ok_or(InvalidResource::ResourceType)?;
        Ok(Self { members, resource_type })
    }

    /// The id, where there is a well-formed one (FHIR R4, "Datatypes", `id`).
    pub(crate) fn id(&self) -> Result<String, InvalidResource> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        text_of(self.members.get("id"))
            .filter(|id| (1..=64).contains(&id.len()) && id.bytes().all(is_allowed))
            .ok_or(InvalidResource::Id)
    }

    pub(crate) fn set_id(&mut self, id: &str) {
        self.members.set("id", quoted(id).into(), &["resourceType"]);
    }

    /// Writes version and time into `meta`, over what is there.
    pub(crate) fn stamp(&mut self, version: u64, last_updated: Timestamp) -> Result<(), InvalidResource> {
        let present = self.members.get("meta").unwrap_or("{}").to_owned();
        let mut meta: Members<'_> = serde_json::from_str(&present).map_err(|_| InvalidResource::Meta)?;
        meta.set("versionId", quoted(&version.to_string()).into(), &[]);
        meta.set("lastUpdated", quoted(&rfc3339(last_updated)).into(), &["versionId"]);
        self.members.set("meta", meta.to_line().into(), &["resourceType", "id"]);
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<StoredResource, InvalidResource> {
        let id = self.id()?;
        let meta: Meta = match self.members.get("meta") {
            Some(meta) => serde_json::from_str(meta).map_err(|_| InvalidResource::Meta)?,
            None => Meta::default(),
        };
        let patients = PATIENT_MEMBERS
            .iter()
            .filter_map(|name| self.members.get(name))
            .filter_map(|value| serde_json::from_str::<Value>(value).ok())
            .flat_map(|value| patient_ids(&value))
            .collect();
        Ok(StoredResource {
            line: self.members.to_line().into(),
            resource_type: self.resource_type,
            id,
            version: meta.version_id.as_str().map(str::to_owned),
            last_updated: meta.last_updated.as_str().and_then(|time| time.parse().ok()),
            tags: codings(&meta.tag),
            security: codings(&meta.security),
            patients,
        })
    }
}

fn text_of(json: Option<&str>) -> Option<String> {
    serde_json::from_str(json?).ok()
}

/// What an export looks at. Whatever has another form than FHIR's does not match.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    version_id: Value,
    last_updated: Value,
    tag: Value,
    security: Value,
}

fn codings(value: &Value) -> Vec<Coding> {
    let text = |coding: &Value, name: &str| coding[name].as_str().unwrap_or_default().to_owned();
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|coding| Coding { system: text(coding, "system"), code: text(coding, "code") })
        .collect()
}

/// The ids of the patients that a reference, or each of an array of them, names.
fn patient_ids(value: &Value) -> Vec<String> {
    if let Some(references) = value.as_array() {
        return references.iter().flat_map(patient_ids).collect();
    }
    let id = value["reference"].as_str().and_then(patient_id).map(str::to_owned);
    id.into_iter().collect()
}

/// `1` of `Patient/1` and of `https://…/r4/Patient/1`.
fn patient_id(reference: &str) -> Option<&str> {
    let (before, id) = reference.rsplit_once('/')?;
    (before == "Patient" || before.ends_with("/Patient")).then_some(id)
}

/// A coding of `meta.tag` or `meta.security`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coding {
    pub system: String,
    pub code: String,
}

/// A version of a resource as it is stored and exported, with what an export selects by.
#[derive(Debug)]
pub(crate) struct StoredResource {
    /// JSON on one line, without a line break at its end.
    pub line: Arc<str>,
    pub resource_type: String,
    pub id: String,
    pub version: Option<String>,
    pub last_updated: Option<Timestamp>,
    pub tags: Vec<Coding>,
    pub security: Vec<Coding>,
    /// The ids of the patients that it refers to.
    pub patients: Vec<String>,
}

impl StoredResource {
    /// The patients of a Group that are members still.
    pub(crate) fn group_members(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Group {
            #[serde(default)]
            member: Vec<Member>,
        }
        #[derive(Deserialize)]
        struct Member {
            entity: Value,
            #[serde(default)]
            inactive: bool,
        }
        let group: Option<Group> = serde_json::from_str(&self.line).ok();
        let members = group.map(|group| group.member).unwrap_or_default();
        members
            .iter()
            .filter(|member| !member.inactive)
            .flat_map(|member| patient_ids(&member.entity))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(text: &str) -> Result<String, InvalidResource> {
        let mut draft = Draft::parse(text)?;
        draft.stamp(3, "2026-11-22T07:14:00.1Z".parse().unwrap())?;
        Ok(draft.finish()?.line.to_string())
    }

    #[test]
    fn only_version_and_time_of_meta_change() {
        let stamp = r#""versionId":"3","lastUpdated":"2026-11-22T07:14:00.100Z""#;
        let with_meta = |before: &str, behind: &str| format!(r#"{before},"meta":{{{stamp}}}{behind}"#);
        let cases = [
            (r#"{"resourceType":"Basic","id":"1"}"#, with_meta(r#"{"resourceType":"Basic","id":"1""#, "}")),
            (
                r#"{"id":"1","z":1.10,"resourceType":"Basic","a":[1E5, 0.1000000000000000000001]}"#,
                with_meta(
                    r#"{"id":"1","z":1.10,"resourceType":"Basic""#,
                    r#","a":[1E5, 0.1000000000000000000001]}"#,
                ),
            ),
            (
                r#"{"resourceType":"Basic","id":"1","b":true,"meta":{"profile":["p"],"versionId":"9","tag":[]}}"#,
                r#"{"resourceType":"Basic","id":"1","b":true,"meta":{"profile":["p"],"versionId":"3","#
                    .to_owned()
                    + r#""lastUpdated":"2026-11-22T07:14:00.100Z","tag":[]}}"#,
            ),
            (
                r#"{"resourceType":"Basic","id":"1","meta":{"lastUpdated":"2001-01-01T00:00:00Z"}}"#,
                with_meta(r#"{"resourceType":"Basic","id":"1""#, "}"),
            ),
            (
                "{\n  \"resourceType\": \"Basic\",\r\n  \"id\": \"1\", \"n\": {\n\"t\": \"a\\nb  c\"}\n}\n",
                with_meta(r#"{"resourceType":"Basic","id":"1""#, r#","n":{"t": "a\nb  c"}}"#),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(stamped(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_resource_is_refused_by_what_it_lacks() {
        let cases = [
            ("[]", InvalidResource::JsonObject),
            (r#"{"resourceType":"Patient","#, InvalidResource::JsonObject),
            (r#"{"resourceType":"Patient","id":"1","n":01}"#, InvalidResource::JsonObject),
            (r#"{"id":"1"}"#, InvalidResource::ResourceType),
            (r#"{"resourceType":"Unicorn","id":"1"}"#, InvalidResource::ResourceType),
            (r#"{"resourceType":"Patient"}"#, InvalidResource::Id),
            (r#"{"resourceType":"Patient","id":"a_b"}"#, InvalidResource::Id),
            (r#"{"resourceType":"Patient","id":1}"#, InvalidResource::Id),
            (r#"{"resourceType":"Patient","id":"1","meta":[]}"#, InvalidResource::Meta),
        ];
        for (text, expected) in cases {
            assert_eq!(stamped(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_server_id_is_put_behind_the_type() {
        let mut draft = Draft::parse(r#"{"active":true,"resourceType":"Patient","name":[]}"#).unwrap();
        draft.set_id("7");
        let resource = draft.finish().unwrap();
        assert_eq!(&*resource.line, r#"{"active":true,"resourceType":"Patient","id":"7","name":[]}"#);
    }

    #[test]
    fn a_resource_knows_its_patients() {
        let cases: [(&str, &[&str]); 7] = [
            (r#"{"subject":{"reference":"Patient/1"},"patient":{"reference":"Patient/2"}}"#, &["1", "2"]),
            (r#"{"beneficiary":{"reference":"https://a.example/r4/Patient/3"}}"#, &["3"]),
            (r#"{"for":{"reference":"Patient/4"}}"#, &["4"]),
            (r#"{"patient":[{"reference":"Patient/5"},{"reference":"Patient/6"}]}"#, &["5", "6"]),
            (r#"{"subject":{"reference":"Group/1"}}"#, &[]),
            (r#"{"subject":"Patient/1"}"#, &[]),
            (r#"{"performer":{"reference":"Patient/1"}}"#, &[]),
        ];
        for (members, expected) in cases {
            let text = format!(r#"{{"resourceType":"Basic","id":"1",{}"#, &members[1..]);
            let resource = Draft::parse(&text).unwrap().finish().unwrap();
            assert_eq!(resource.patients, expected, "{members}");
        }
    }

    #[test]
    fn tags_and_members_of_a_group_are_read() {
        let text = r#"{"resourceType":"Group","id":"1","meta":{"tag":[{"system":"s","code":"c"},{"code":"d"}]},
            "member":[{"entity":{"reference":"Patient/1"}},{"entity":{"reference":"Patient/2"},"inactive":true},
            {"entity":{"reference":"Device/3"}}]}"#;
        let resource = Draft::parse(text).unwrap().finish().unwrap();
        let coding = |system: &str, code: &str| Coding { system: system.to_owned(), code: code.to_owned() };
        assert_eq!(resource.tags, [coding("s", "c"), coding("", "d")]);
        assert_eq!(resource.group_members(), ["1"]);
        assert_eq!(resource.last_updated, None);
    }
}
