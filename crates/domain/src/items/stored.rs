//! Attributes that several item types share, as they are stored, and the FHIR data types that they become.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::change::Reject;
use crate::fhir::{CodeMaps, CodeableConcept, Coding, ContactPoint, DateTime, HumanName, Period, Text};

/// A text, borrowed from the item where it has no escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct StoredText<'a>(#[serde(borrow)] Cow<'a, str>);

/// A name: `{"use": "official", "family": "…", "given": ["…"], "prefix": ["…"], "suffix": ["…"]}`.
#[derive(Debug, Deserialize)]
pub(super) struct StoredName<'a> {
    #[serde(rename = "use", borrow)]
    name_use: Option<StoredText<'a>>,
    #[serde(borrow)]
    text: Option<StoredText<'a>>,
    #[serde(borrow)]
    family: Option<StoredText<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    given: Vec<StoredText<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    prefix: Vec<StoredText<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    suffix: Vec<StoredText<'a>>,
}

/// A way to reach somebody: `{"system": "phone", "value": "…", "use": "home"}`.
#[derive(Debug, Deserialize)]
pub(super) struct StoredContactPoint<'a> {
    #[serde(borrow)]
    system: StoredText<'a>,
    #[serde(borrow)]
    value: StoredText<'a>,
    #[serde(rename = "use", borrow)]
    point_use: Option<StoredText<'a>>,
}

/// A code with its system: `{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}`.
#[derive(Debug, Deserialize)]
pub(super) struct StoredCoding<'a> {
    #[serde(borrow)]
    system: Option<StoredText<'a>>,
    #[serde(borrow)]
    code: StoredText<'a>,
    #[serde(borrow)]
    display: Option<StoredText<'a>>,
}

/// A time from–to: `{"start": "2026-11-22T07:14:00Z", "end": "…"}`, either end open.
#[derive(Debug, Deserialize)]
pub(super) struct StoredPeriod<'a> {
    #[serde(borrow)]
    start: Option<StoredText<'a>>,
    #[serde(borrow)]
    end: Option<StoredText<'a>>,
}

impl<'a> StoredText<'a> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_inner(self) -> Cow<'a, str> {
        self.0
    }
}

pub(super) fn text<'a>(stored: Option<StoredText<'a>>, element: &str) -> Result<Option<Text<'a>>, Reject> {
    stored.map_or(Ok(None), |stored| Text::parse(stored.0, element))
}

pub(super) fn texts<'a>(stored: Vec<StoredText<'a>>, element: &str) -> Result<Vec<Text<'a>>, Reject> {
    Text::parse_all(stored.into_iter().map(|stored| stored.0).collect(), element)
}

pub(super) fn date_time<'a>(
    stored: Option<StoredText<'a>>,
    element: &str,
) -> Result<Option<DateTime<'a>>, Reject> {
    stored.map(|stored| DateTime::parse(stored.0, element)).transpose()
}

impl<'a> StoredName<'a> {
    /// `None` for a name that says nothing.
    pub(super) fn into_fhir(self, codes: &CodeMaps) -> Result<Option<HumanName<'a>>, Reject> {
        let name = HumanName {
            name_use: codes.translate_option(self.name_use.as_ref().map(StoredText::as_str))?,
            text: text(self.text, "name.text")?,
            family: text(self.family, "name.family")?,
            given: texts(self.given, "name.given")?,
            prefix: texts(self.prefix, "name.prefix")?,
            suffix: texts(self.suffix, "name.suffix")?,
        };
        Ok((name != HumanName::default()).then_some(name))
    }
}

impl<'a> StoredContactPoint<'a> {
    /// `None` where there is nothing to reach somebody by: FHIR has no contact point without a value.
    pub(super) fn into_fhir(self, codes: &CodeMaps) -> Result<Option<ContactPoint<'a>>, Reject> {
        let system = codes.translate(self.system.as_str())?;
        let point_use = codes.translate_option(self.point_use.as_ref().map(StoredText::as_str))?;
        let value = Text::parse(self.value.0, "telecom.value")?;
        Ok(value.map(|value| ContactPoint { system, value, point_use }))
    }
}

impl<'a> StoredCoding<'a> {
    /// `None` where the code is blank.
    pub(super) fn into_fhir(self, element: &str) -> Result<Option<Coding<'a>>, Reject> {
        let Some(code) = Text::parse(self.code.0, element)? else { return Ok(None) };
        Ok(Some(Coding { system: text(self.system, element)?, code, display: text(self.display, element)? }))
    }

    pub(super) fn into_concept(self, element: &str) -> Result<Option<CodeableConcept<'a>>, Reject> {
        let coding = self.into_fhir(element)?;
        Ok(coding.map(|coding| CodeableConcept { coding: vec![coding], text: None }))
    }
}

impl<'a> StoredPeriod<'a> {
    /// `None` where both ends are open: FHIR has no empty element.
    pub(super) fn into_fhir(self, element: &str) -> Result<Option<Period<'a>>, Reject> {
        let period = Period { start: date_time(self.start, element)?, end: date_time(self.end, element)? };
        Ok((period != Period::default()).then_some(period))
    }
}

/// Where DynamoDB has NULL for a list, it says as little as an empty one, and NULL in a list as little as no element.
pub(super) fn without_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_option(ElementsWithoutNull(PhantomData))
}

struct ElementsWithoutNull<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ElementsWithoutNull<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list or null")
    }

    fn visit_none<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element::<Option<T>>()? {
            elements.extend(element);
        }
        Ok(elements)
    }
}

/// Maps each stored value, leaving out those that say nothing.
pub(super) fn each<S, F>(
    stored: Vec<S>,
    into_fhir: impl Fn(S) -> Result<Option<F>, Reject>,
) -> Result<Vec<F>, Reject> {
    stored.into_iter().filter_map(|stored| into_fhir(stored).transpose()).collect()
}
