//! Which folder of the lake a row belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cell::{floor_unscaled, string_of};
use super::columns::is_reserved;
use super::hive::{DEFAULT_PARTITION, escape, unescape};
use super::{ColumnType, Item, Micros, column_name};

/// Of a name or a value in a path, escaped. An object key has at most 1,024 bytes (Amazon S3 user guide, "Naming Amazon
/// S3 objects"): four attributes of these lengths and a time leave room for the rest of the key.
const NAME_BYTES: usize = 48;
const VALUE_BYTES: usize = 128;
const ATTRIBUTES: usize = 4;

/// How rows are divided into folders: by attributes of the item, then by a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionSpec {
    #[serde(default)]
    pub attributes: Vec<String>,
    #[serde(default)]
    pub time: Option<TimePartition>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimePartition {
    pub from: TimeSource,
    /// The finest folder; those above it are there too.
    pub unit: TimeUnit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimeSource {
    /// When the item changed.
    Change,
    /// An attribute of the item. One that never changes keeps all changes of an item together.
    #[serde(untagged)]
    Attribute { attribute: String, format: TimeFormat },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeFormat {
    Rfc3339,
    Seconds,
    Milliseconds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
}

impl TimeUnit {
    const ALL: [Self; 5] = [Self::Year, Self::Month, Self::Day, Self::Hour, Self::Minute];

    fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
        }
    }

    /// The longest time that always lies within one of these, beginning at a multiple of itself.
    fn whole_micros(self) -> i64 {
        const MINUTE: i64 = 60 * 1_000_000;
        match self {
            Self::Minute => MINUTE,
            Self::Hour => 60 * MINUTE,
            Self::Day | Self::Month | Self::Year => 24 * 60 * MINUTE,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartitionSpecError {
    #[error("partition: neither attributes nor a time; name at least one of them")]
    Empty,
    #[error("partition.attributes: at most {ATTRIBUTES}, because an object key is short")]
    TooMany,
    #[error("partition.attributes: \"{0}\" is empty or, in a path, longer than {NAME_BYTES} bytes")]
    NameLength(String),
    #[error("partition: \"{0}\" is named twice, or is the name of a part of the time")]
    Twice(String),
    #[error(
        "partition.attributes: \"{attribute}\" would be the column \"{name}\", which every row has already"
    )]
    Reserved { attribute: String, name: String },
}

/// A folder of the lake: its names and values, from the outermost to the innermost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    parts: Vec<(String, Option<String>)>,
}

impl PartitionSpec {
    /// # Errors
    /// Where no folder could be made of it.
    pub fn validate(&self) -> Result<(), PartitionSpecError> {
        if self.attributes.is_empty() && self.time.is_none() {
            return Err(PartitionSpecError::Empty);
        }
        if self.attributes.len() > ATTRIBUTES {
            return Err(PartitionSpecError::TooMany);
        }
        if let Some(name) =
            self.attributes.iter().find(|name| name.is_empty() || escape(name).len() > NAME_BYTES)
        {
            return Err(PartitionSpecError::NameLength(name.clone()));
        }
        let mut columns: Vec<String> = Vec::new();
        for name in self.names() {
            let column = column_name(name);
            if is_reserved(&column) {
                return Err(PartitionSpecError::Reserved { attribute: name.to_owned(), name: column });
            }
            if columns.contains(&column) {
                return Err(PartitionSpecError::Twice(name.to_owned()));
            }
            columns.push(column);
        }
        Ok(())
    }

    /// The names of the folders, from the outermost to the innermost.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.attributes.iter().map(String::as_str).collect();
        for unit in self.time.iter().flat_map(|time| units(time.unit)) {
            names.push(unit.name());
        }
        names
    }

    /// Appends what decides where a row belongs: rows with equal keys have the same partition. Several keys may have the same
    /// partition, because nothing is looked into that is expensive to look into.
    pub fn push_key(&self, item: &Item, changed_at: Micros, key: &mut Vec<u8>) {
        for name in &self.attributes {
            let json = item.get(name).unwrap_or_default();
            key.extend_from_slice(&json.len().to_le_bytes());
            key.extend_from_slice(json.as_bytes());
        }
        if let Some(time) = &self.time {
            let cut = time.instant(item, changed_at).map(|it| it.get().div_euclid(time.unit.whole_micros()));
            key.extend_from_slice(&cut.unwrap_or(i64::MIN).to_le_bytes());
        }
    }

    /// Where a row of this item belongs. The same row always belongs to the same folder.
    #[must_use]
    pub fn partition(&self, item: &Item, changed_at: Micros) -> Partition {
        let of_attributes =
            self.attributes.iter().map(|name| (name.clone(), item.get(name).and_then(attribute_value)));
        let of_time = self.time.iter().flat_map(|time| {
            let instant = time.instant(item, changed_at);
            let civil = instant.map(Micros::civil);
            units(time.unit).map(move |unit| {
                let value = civil.map(|civil| match unit {
                    TimeUnit::Year => format!("{:04}", civil.year()),
                    TimeUnit::Month => format!("{:02}", civil.month()),
                    TimeUnit::Day => format!("{:02}", civil.day()),
                    TimeUnit::Hour => format!("{:02}", civil.hour()),
                    TimeUnit::Minute => format!("{:02}", civil.minute()),
                });
                (unit.name().to_owned(), value)
            })
        });
        Partition { parts: of_attributes.chain(of_time).collect() }
    }
}

fn units(finest: TimeUnit) -> impl Iterator<Item = TimeUnit> + use<> {
    TimeUnit::ALL.into_iter().filter(move |unit| *unit <= finest)
}

impl TimePartition {
    fn instant(&self, item: &Item, changed_at: Micros) -> Option<Micros> {
        match &self.from {
            TimeSource::Change => Some(changed_at),
            TimeSource::Attribute { attribute, format } => {
                item.get(attribute).and_then(|json| format.read(json))
            }
        }
    }
}

impl TimeFormat {
    /// What is finer than a microsecond is cut off: unlike in a column, where a digit would be lost, it decides nothing here.
    fn read(self, json: &str) -> Option<Micros> {
        let column_type = match self {
            Self::Rfc3339 => return Micros::containing_rfc3339(&string_of(json)?),
            Self::Seconds => ColumnType::TimestampSeconds,
            Self::Milliseconds => ColumnType::TimestampMilliseconds,
        };
        Micros::new(i64::try_from(floor_unscaled(json, column_type.epoch_scale()?)?).ok()?)
    }
}

/// A text, number or boolean that can be the name of a folder.
fn attribute_value(json: &str) -> Option<String> {
    let text = match ColumnType::String.fit(json) {
        Some(fit) => fit.cell.text()?.into_owned(),
        None if json.starts_with(['{', '[']) || json == "null" => return None,
        None => json.to_owned(),
    };
    let is_a_name = !text.is_empty()
        && text != DEFAULT_PARTITION
        && !text.chars().any(is_no_xml)
        && escape(&text).len() <= VALUE_BYTES;
    is_a_name.then_some(text)
}

/// Lists of a bucket are XML, in which these cannot stand (W3C, "Extensible Markup Language (XML) 1.0", production 2): one
/// such key, and nobody can list its neighbours (I3). Of the control characters, those that could are no better names.
fn is_no_xml(character: char) -> bool {
    character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}')
}

impl Partition {
    /// How many of its values are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.parts.iter().filter(|(_, value)| value.is_none()).count()
    }

    /// The values as the Glue catalog registers them.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(_, value)| value.as_deref().unwrap_or(DEFAULT_PARTITION))
    }

    /// Reads the path that [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let part = |folder: &str| {
            let (name, value) = folder.split_once('=')?;
            let value = if value == DEFAULT_PARTITION { None } else { Some(unescape(value)?) };
            Some((unescape(name)?, value))
        };
        path.split('/').map(part).collect::<Option<Vec<_>>>().map(|parts| Self { parts })
    }
}

/// `siteId=2/year=2026/month=11/day=22`.
impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, value)) in self.parts.iter().enumerate() {
            if position > 0 {
                formatter.write_str("/")?;
            }
            write!(formatter, "{}=", escape(name))?;
            match value {
                Some(value) => formatter.write_str(&escape(value))?,
                None => formatter.write_str(DEFAULT_PARTITION)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> PartitionSpec {
        let spec: PartitionSpec = serde_json::from_str(json).unwrap();
        spec.validate().unwrap();
        spec
    }

    fn path(spec: &PartitionSpec, item: &str) -> String {
        let changed_at = Micros::from_rfc3339("2026-11-22T07:14:09Z").unwrap();
        let partition = spec.partition(&Item::from_json(item).unwrap(), changed_at);
        let path = partition.to_string();
        assert_eq!(Partition::parse(&path), Some(partition), "{path}");
        path
    }

    #[test]
    fn a_time_is_cut_to_its_unit() {
        for (unit, expected) in [
            ("year", "year=2026"),
            ("month", "year=2026/month=11"),
            ("day", "year=2026/month=11/day=22"),
            ("hour", "year=2026/month=11/day=22/hour=07"),
            ("minute", "year=2026/month=11/day=22/hour=07/minute=14"),
        ] {
            let spec = spec(&format!(r#"{{"time": {{"from": "change", "unit": "{unit}"}}}}"#));
            assert_eq!(path(&spec, "{}"), expected);
        }
    }

    #[test]
    fn a_time_of_the_item_is_read_in_each_of_its_formats_in_utc() {
        for (format, value) in [
            ("rfc3339", r#""2023-11-17T21:30:00+02:00""#),
            ("seconds", "1700249400"),
            ("rfc3339", r#""2023-11-17T19:30:00.123456789Z""#),
            ("seconds", "1700249400.5"),
            ("seconds", "1.7002494E9"),
            ("seconds", "1700249400.1234567890123456789"),
            ("milliseconds", "1700249400123"),
            ("milliseconds", "1700249400123.4567"),
        ] {
            let time = format!(r#"{{"attribute": "createdAt", "format": "{format}"}}"#);
            let spec =
                spec(&format!(r#"{{"attributes": ["siteId"], "time": {{"from": {time}, "unit": "hour"}}}}"#));
            assert_eq!(
                path(&spec, &format!(r#"{{"siteId": 2, "createdAt": {value}}}"#)),
                "siteId=2/year=2023/month=11/day=17/hour=19",
                "{format} {value}"
            );
        }
    }

    #[test]
    fn what_is_finer_than_a_microsecond_is_cut_towards_the_past() {
        let hour = |format: &str, value: &str| {
            let time = format!(r#"{{"attribute": "at", "format": "{format}"}}"#);
            path(
                &spec(&format!(r#"{{"time": {{"from": {time}, "unit": "hour"}}}}"#)),
                &format!(r#"{{"at": {value}}}"#),
            )
        };
        for (format, value) in [
            ("rfc3339", r#""1969-12-31T23:59:59.999999999Z""#),
            ("seconds", "-0.0000001"),
            ("seconds", "-1E-130"),
            ("milliseconds", "-0.0001"),
        ] {
            assert_eq!(hour(format, value), "year=1969/month=12/day=31/hour=23", "{format} {value}");
        }
        for (format, value) in [
            ("rfc3339", r#""1970-01-01T00:00:00.000000001Z""#),
            ("seconds", "0"),
            ("seconds", "0.0000001"),
            ("seconds", "1E-130"),
            ("milliseconds", "3599999.9999"),
        ] {
            assert_eq!(hour(format, value), "year=1970/month=01/day=01/hour=00", "{format} {value}");
        }
        for value in ["1E+125", "-1E+125", "1E+20"] {
            let lost = "__HIVE_DEFAULT_PARTITION__";
            assert_eq!(
                hour("seconds", value),
                format!("year={lost}/month={lost}/day={lost}/hour={lost}"),
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_missing_or_cannot_be_read_goes_to_the_default_partition() {
        let spec = spec(
            r#"{"attributes": ["site"], "time": {"from": {"attribute": "at", "format": "rfc3339"}, "unit": "month"}}"#,
        );
        let lost = "year=__HIVE_DEFAULT_PARTITION__/month=__HIVE_DEFAULT_PARTITION__";
        let long = format!(r#"{{"site": "{}"}}"#, "é".repeat(65));
        for item in [
            "{}",
            r#"{"site": "", "at": "yesterday"}"#,
            r#"{"site": null, "at": 1700249400}"#,
            r#"{"site": ["a"], "at": ""}"#,
            r#"{"site": {"a": 1}, "at": null}"#,
            r#"{"site": "a\nb"}"#,
            r#"{"site": "a\uffff"}"#,
            r#"{"site": "__HIVE_DEFAULT_PARTITION__"}"#,
            &long,
        ] {
            assert_eq!(path(&spec, item), format!("site=__HIVE_DEFAULT_PARTITION__/{lost}"), "{item}");
        }
        assert_eq!(spec.partition(&Item::default(), Micros::from_second(0).unwrap()).missing(), 3);
    }

    #[test]
    fn rows_with_equal_keys_have_the_same_partition() {
        let site = |unit: &str| {
            spec(&format!(r#"{{"attributes": ["a", "b"], "time": {{"from": "change", "unit": "{unit}"}}}}"#))
        };
        let items = ["{}", r#"{"a":1}"#, r#"{"b":1}"#, r#"{"a":"1"}"#, r#"{"a":1,"b":1}"#, r#"{"a":11}"#];
        let times = ["0999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"]
            .into_iter()
            .chain(["2026-11-22T07:14:00Z", "2026-11-22T07:14:59.9Z", "2026-11-22T07:45:00Z"])
            .chain(["2026-11-22T08:10:00Z", "2026-11-23T00:00:00Z", "2026-12-01T00:00:00Z"]);
        for unit in ["year", "month", "day", "hour", "minute"] {
            let spec = site(unit);
            let mut by_key: std::collections::HashMap<Vec<u8>, Partition> = std::collections::HashMap::new();
            for time in times.clone() {
                for item in items {
                    let (item, time) = (Item::from_json(item).unwrap(), Micros::from_rfc3339(time).unwrap());
                    let (mut key, partition) = (Vec::new(), spec.partition(&item, time));
                    spec.push_key(&item, time, &mut key);
                    assert_eq!(by_key.entry(key).or_insert_with(|| partition.clone()), &partition, "{unit}");
                }
            }
            assert!(by_key.len() >= 20 && by_key.len() < items.len() * 9, "{unit}: {}", by_key.len());
        }
    }

    #[test]
    fn values_are_escaped_and_read_back() {
        let spec = spec(r#"{"attributes": ["ward/site id", "on"]}"#);
        assert_eq!(
            path(&spec, r#"{"ward/site id": "a/b=c%20 東京", "on": true}"#),
            "ward%2Fsite id=a%2Fb%3Dc%2520 東京/on=true"
        );
    }

    #[test]
    fn a_specification_that_makes_no_folders_is_refused() {
        for (json, message) in [
            ("{}", "neither"),
            (r#"{"attributes": ["a", "b", "c", "d", "e"]}"#, "at most 4"),
            (r#"{"attributes": [""]}"#, "empty"),
            (r#"{"attributes": ["SK"]}"#, "every row has"),
            (r#"{"attributes": ["_op"]}"#, "every row has"),
            (r#"{"attributes": ["site", "Site"]}"#, "twice"),
            (r#"{"attributes": ["year"], "time": {"from": "change", "unit": "year"}}"#, "twice"),
        ] {
            let spec: PartitionSpec = serde_json::from_str(json).unwrap();
            let error = spec.validate().unwrap_err().to_string();
            assert!(error.contains(message), "{json}: {error}");
        }
        assert!(serde_json::from_str::<PartitionSpec>(r#"{"attributes": [], "zone": "CET"}"#).is_err());
    }
}
