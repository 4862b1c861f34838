//! What a start asks for, validated (developer guide, "Exporting HealthLake data with FHIR `$export`"; API reference,
//! "StartFHIRExportJob").

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::Refusal;
use super::resource_types::is_resource_type;
use super::stored_resource::Coding;

const JOB_NAME_CHARACTERS: usize = 64;
const OUTPUT_FORMATS: [&str; 3] = ["application/fhir+ndjson", "application/ndjson", "ndjson"];

/// Whose resources are exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Scope {
    System,
    /// Patients, and what refers to one.
    Patient,
    /// The patients of a group, and what refers to one of them.
    Group {
        group_id: String,
    },
}

/// `system|code`; with no code it stands for any of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    system: String,
    code: Option<String>,
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let (system, code) = text.split_once('|')?;
        Some(Self { system: system.to_owned(), code: (!code.is_empty()).then(|| code.to_owned()) })
    }

    pub(crate) fn matches(&self, coding: &Coding) -> bool {
        coding.system == self.system && self.code.as_ref().is_none_or(|code| *code == coding.code)
    }

    pub(crate) fn text(&self) -> String {
        format!("{}|{}", self.system, self.code.as_deref().unwrap_or_default())
    }
}

/// Which resources are exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub scope: Scope,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// None: every type.
    pub resource_types: Vec<String>,
    /// A resource has to match all of them.
    pub tags: Vec<Token>,
    pub security: Vec<Token>,
}

impl Filter {
    pub(crate) fn everything(scope: Scope) -> Self {
        Self {
            scope,
            since: None,
            until: None,
            resource_types: Vec::new(),
            tags: Vec::new(),
            security: Vec::new(),
        }
    }

    pub(crate) fn parse<'q>(
        scope: Scope,
        parameters: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>,
    ) -> Result<Self, Refusal> {
        let mut filter = Self::everything(scope);
        for (name, value) in parameters {
            match &*name {
                "_since" => filter.since = Some(instant(&name, &value)?),
                "_until" => filter.until = Some(instant(&name, &value)?),
                "_type" => {
                    for resource_type in list(&value) {
                        if !is_resource_type(resource_type) {
                            return Err(Refusal::invalid("_type names what is no resource type of FHIR R4."));
                        }
                        filter.resource_types.push(resource_type.to_owned());
                    }
                }
                "_tag" => filter.tags.extend(tokens(&name, &value)?),
                "_security" => filter.security.extend(tokens(&name, &value)?),
                "_outputFormat" if OUTPUT_FORMATS.contains(&&*value) => (),
                "_outputFormat" => return Err(Refusal::invalid("_outputFormat is none that there is.")),
                _ => return Err(Refusal::invalid("A query parameter is none of $export's.")),
            }
        }
        if let (Some(since), Some(until)) = (filter.since, filter.until)
            && since > until
        {
            return Err(Refusal::invalid("_since is after _until."));
        }
        Ok(filter)
    }
}

/// Of the date times of FHIR those with a time zone.
fn instant(name: &str, value: &str) -> Result<Timestamp, Refusal> {
    value.parse().map_err(|_| Refusal::invalid(format!("{name} is no date and time with a zone.")))
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|element| !element.is_empty())
}

fn tokens(name: &str, value: &str) -> Result<Vec<Token>, Refusal> {
    list(value)
        .map(|token| {
            Token::parse(token).ok_or_else(|| Refusal::invalid(format!("{name} is no system|code.")))
        })
        .collect()
}

/// A start that has been accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportRequest {
    pub filter: Filter,
    pub job_name: Option<String>,
    pub data_access_role_arn: String,
    /// As given: the files lie in a folder below it.
    pub s3_uri: String,
    pub kms_key_id: String,
    /// The JSON API's: a start that repeats it answers the job that there is.
    pub client_token: Option<String>,
    /// The request, as a describe repeats it; with its query decoded.
    pub url: String,
}

/// The body of a start, the same for both APIs.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StartBody {
    job_name: Option<String>,
    data_access_role_arn: Option<String>,
    output_data_config: Option<OutputDataConfig>,
    client_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OutputDataConfig {
    s3_configuration: Option<S3Configuration>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Configuration {
    s3_uri: Option<String>,
    kms_key_id: Option<String>,
}

impl StartBody {
    pub(crate) fn accept(self, filter: Filter, url: String) -> Result<ExportRequest, Refusal> {
        if self.job_name.as_deref().is_some_and(|name| !is_job_name(name)) {
            return Err(Refusal::invalid("JobName has 1 to 64 letters, digits, spaces and _.:/=+-%@."));
        }
        let data_access_role_arn = self
            .data_access_role_arn
            .filter(|arn| is_role_arn(arn))
            .ok_or_else(|| Refusal::invalid("DataAccessRoleArn is missing, or is no ARN of a role."))?;
        let target = self.output_data_config.and_then(|config| config.s3_configuration).unwrap_or_default();
        let s3_uri = target
            .s3_uri
            .filter(|uri| bucket_and_prefix(uri).is_some())
            .ok_or_else(|| Refusal::invalid("S3Uri is missing, or is no s3://bucket/prefix."))?;
        let kms_key_id = target
            .kms_key_id
            .filter(|key| (1..=400).contains(&key.len()))
            .ok_or_else(|| Refusal::invalid("KmsKeyId is missing, or too long."))?;
        Ok(ExportRequest {
            filter,
            job_name: self.job_name,
            data_access_role_arn,
            s3_uri,
            kms_key_id,
            client_token: self.client_token,
            url,
        })
    }
}

/// `^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$`, 1 to 64.
fn is_job_name(name: &str) -> bool {
    let is_allowed =
        |character: char| character.is_alphanumeric() || character == ' ' || "_.:/=+-%@".contains(character);
    (1..=JOB_NAME_CHARACTERS).contains(&name.chars().count()) && name.chars().all(is_allowed)
}

/// `arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+`
fn is_role_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [arn, partition, "iam", "", account, resource] = parts.as_slice() else { return false };
    *arn == "arn"
        && (*partition == "aws" || partition.starts_with("aws-"))
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}

/// `bucket` and `a/b` of `s3://bucket/a/b`.
pub(crate) fn bucket_and_prefix(uri: &str) -> Option<(&str, &str)> {
    let path = uri.strip_prefix("s3://")?;
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    (!bucket.is_empty()).then_some((bucket, prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(query: &str) -> Result<Filter, Refusal> {
        Filter::parse(Scope::System, form_urlencoded::parse(query.as_bytes()))
    }

    #[test]
    fn the_query_says_which_resources() {
        let token = |system: &str, code: Option<&str>| Token {
            system: system.to_owned(),
            code: code.map(str::to_owned),
        };
        let everything = || Filter::everything(Scope::System);
        let cases = [
            ("", everything()),
            (
                "_since=2024-05-09T00%3A00%3A00Z&_until=2024-05-09T02:00:00.5%2B02:00",
                Filter {
                    since: Some("2024-05-09T00:00:00Z".parse().unwrap()),
                    until: Some("2024-05-09T00:00:00.5Z".parse().unwrap()),
                    ..everything()
                },
            ),
            (
                "_type=MedicationStatement,%20Observation&_outputFormat=application%2Ffhir%2Bndjson",
                Filter {
                    resource_types: vec!["MedicationStatement".to_owned(), "Observation".to_owned()],
                    ..everything()
                },
            ),
            (
                "_tag=a%7Cb&_tag=c%7C&_security=d%7Ce,f%7Cg",
                Filter {
                    tags: vec![token("a", Some("b")), token("c", None)],
                    security: vec![token("d", Some("e")), token("f", Some("g"))],
                    ..everything()
                },
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(parse(query).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn a_query_that_asks_for_what_there_is_not_is_refused() {
        for query in [
            "_since=yesterday",
            "_since=2024-05-09",
            "_since=2024-05-09T00:00:00",
            "_since=2024-05-09T02:00:00+02:00",
            "_since=",
            "_since=2024-05-09T00:00:01Z&_until=2024-05-09T00:00:00Z",
            "_type=Unicorn",
            "_type=Patient,patient",
            "_tag=code",
            "_outputFormat=csv",
            "_typeFilter=Patient?active=true",
        ] {
            assert!(matches!(parse(query), Err(Refusal::Invalid(_))), "{query}");
        }
    }

    #[test]
    fn a_token_matches_its_code_or_any_of_its_system() {
        let coding = Coding { system: "s".to_owned(), code: "c".to_owned() };
        for (token, expected) in [("s|c", true), ("s|", true), ("s|d", false), ("t|c", false), ("|c", false)]
        {
            assert_eq!(Token::parse(token).unwrap().matches(&coding), expected, "{token}");
        }
    }

    fn body(changes: &[(&str, Value)]) -> Value {
        let mut body = json!({
            "JobName": "a-job",
            "DataAccessRoleArn": "arn:aws:iam::000000000000:role/exports",
            "OutputDataConfig": {"S3Configuration": {"S3Uri": "s3://bucket/exports/", "KmsKeyId": "key"}},
        });
        for (pointer, value) in changes {
            *body.pointer_mut(pointer).unwrap() = value.clone();
        }
        body
    }

    fn accept(body: Value) -> Result<ExportRequest, Refusal> {
        let body: StartBody = serde_json::from_value(body).unwrap();
        body.accept(Filter::everything(Scope::System), String::new())
    }

    #[test]
    fn a_body_names_the_role_the_folder_and_the_key() {
        let request = accept(body(&[])).unwrap();
        assert_eq!(request.s3_uri, "s3://bucket/exports/");
        assert_eq!(request.job_name.as_deref(), Some("a-job"));
        let longest = json!("é".repeat(64));
        assert!(accept(body(&[("/JobName", longest)])).is_ok());
        assert!(accept(body(&[("/JobName", Value::Null)])).is_ok());
    }

    #[test]
    fn a_body_that_lacks_something_is_refused() {
        let s3_configuration = "/OutputDataConfig/S3Configuration";
        let cases = [
            ("/JobName".to_owned(), json!("x".repeat(65))),
            ("/JobName".to_owned(), json!("")),
            ("/JobName".to_owned(), json!("a;b")),
            ("/DataAccessRoleArn".to_owned(), Value::Null),
            ("/DataAccessRoleArn".to_owned(), json!("arn:aws:iam::1:role/x")),
            ("/DataAccessRoleArn".to_owned(), json!("arn:aws:iam::000000000000:user/x")),
            ("/OutputDataConfig".to_owned(), Value::Null),
            (s3_configuration.to_owned(), Value::Null),
            (format!("{s3_configuration}/S3Uri"), Value::Null),
            (format!("{s3_configuration}/S3Uri"), json!("https://bucket/exports/")),
            (format!("{s3_configuration}/S3Uri"), json!("s3:///exports/")),
            (format!("{s3_configuration}/KmsKeyId"), Value::Null),
            (format!("{s3_configuration}/KmsKeyId"), json!("")),
        ];
        for (pointer, value) in cases {
            let refused = accept(body(&[(&pointer, value.clone())]));
            assert!(matches!(refused, Err(Refusal::Invalid(_))), "{pointer} {value}");
        }
    }
}
