//! For comparison: what reading or copying the same bytes takes, and nothing else.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::value::RawValue;

use crate::{Job, lines};

/// The enricher's batch as typed structs, borrowed where serde can borrow: nothing is looked up, checked, mapped or written.
/// With or without what the runtime does before, which is to find the payload's end and to copy it.
pub struct TypedParse {
    event: Vec<u8>,
    through_runtime: bool,
}

impl TypedParse {
    /// # Errors
    /// Where the batch cannot be read.
    pub fn new(folder: &Path, through_runtime: bool) -> Result<Self> {
        let event = std::fs::read(folder.join("event.json")).context("reading event.json")?;
        Ok(Self { event, through_runtime })
    }
}

impl Job for TypedParse {
    fn run(&mut self) -> Result<usize> {
        let payload: Box<RawValue>;
        let batch = if self.through_runtime {
            payload = serde_json::from_slice(&self.event)?;
            payload.get()
        } else {
            std::str::from_utf8(&self.event)?
        };
        Ok(std::hint::black_box(serde_json::from_str::<Vec<typed::Record<'_>>>(batch)?).len())
    }

    fn records(&mut self) -> Result<Vec<String>> {
        bail!("a parse makes no records")
    }
}

/// The publisher's lines, found by their line feeds and copied once.
pub struct LineCopy {
    lines: Vec<u8>,
}

impl LineCopy {
    /// # Errors
    /// Where the lines cannot be read.
    pub fn new(folder: &Path) -> Result<Self> {
        Ok(Self { lines: std::fs::read(folder.join("lines.ndjson")).context("reading lines.ndjson")? })
    }
}

impl Job for LineCopy {
    fn run(&mut self) -> Result<usize> {
        let mut bytes = 0;
        let mut copy = Vec::new();
        for line in lines(&self.lines) {
            copy.clear();
            copy.extend_from_slice(line);
            bytes += std::hint::black_box(&copy).len();
        }
        Ok(bytes)
    }

    fn records(&mut self) -> Result<Vec<String>> {
        bail!("a copy makes no records")
    }
}

/// The members of a record of the input, one struct for each shape.
#[expect(dead_code, reason = "the members are parsed, not used")]
mod typed {
    use std::borrow::Cow;

    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Record<'a> {
        #[serde(rename = "eventID", borrow)]
        pub event_id: Cow<'a, str>,
        #[serde(borrow)]
        pub event_name: Cow<'a, str>,
        #[serde(rename = "eventSourceARN", borrow)]
        pub event_source_arn: Cow<'a, str>,
        #[serde(borrow)]
        pub dynamodb: Change<'a>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    pub struct Change<'a> {
        pub approximate_creation_date_time: f64,
        #[serde(borrow)]
        pub keys: Keys<'a>,
        #[serde(borrow)]
        pub new_image: Option<Patient<'a>>,
        #[serde(borrow)]
        pub old_image: Option<Patient<'a>>,
        #[serde(borrow)]
        pub sequence_number: Cow<'a, str>,
    }

    #[derive(Deserialize)]
    pub struct Keys<'a> {
        #[serde(borrow)]
        pub id: S<'a>,
        #[serde(borrow)]
        pub sk: S<'a>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Patient<'a> {
        #[serde(borrow)]
        pub id: S<'a>,
        #[serde(borrow)]
        pub sk: S<'a>,
        #[serde(borrow)]
        pub item_type: S<'a>,
        #[serde(borrow)]
        pub site_id: N<'a>,
        pub active: Bool,
        #[serde(borrow)]
        pub revision: N<'a>,
        #[serde(borrow)]
        pub balance: N<'a>,
        #[serde(borrow)]
        pub updated_at: S<'a>,
        #[serde(borrow)]
        pub mrn: M<Identifier<'a>>,
        #[serde(borrow)]
        pub names: L<M<Name<'a>>>,
        #[serde(borrow)]
        pub birth_date: S<'a>,
        #[serde(borrow)]
        pub gender: S<'a>,
        #[serde(borrow)]
        pub telecom: L<M<Telecom<'a>>>,
        #[serde(borrow)]
        pub consents: StringSet<'a>,
    }

    #[derive(Deserialize)]
    pub struct Identifier<'a> {
        #[serde(borrow)]
        pub system: S<'a>,
        #[serde(borrow)]
        pub value: S<'a>,
    }

    #[derive(Deserialize)]
    pub struct Name<'a> {
        #[serde(rename = "use", borrow)]
        pub used_as: S<'a>,
        #[serde(borrow)]
        pub family: S<'a>,
        #[serde(borrow)]
        pub given: L<S<'a>>,
    }

    #[derive(Deserialize)]
    pub struct Telecom<'a> {
        #[serde(borrow)]
        pub system: S<'a>,
        #[serde(borrow)]
        pub value: S<'a>,
        #[serde(rename = "use", borrow)]
        pub used_as: S<'a>,
    }

    #[derive(Deserialize)]
    pub struct S<'a> {
        #[serde(rename = "S", borrow)]
        pub text: Cow<'a, str>,
    }

    #[derive(Deserialize)]
    pub struct N<'a> {
        #[serde(rename = "N", borrow)]
        pub number: Cow<'a, str>,
    }

    #[derive(Deserialize)]
    pub struct StringSet<'a> {
        #[serde(rename = "SS", borrow)]
        pub texts: Vec<Text<'a>>,
    }

    /// In a list serde borrows what says so by itself.
    #[derive(Deserialize)]
    #[serde(transparent)]
    pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

    #[derive(Deserialize)]
    pub struct Bool {
        #[serde(rename = "BOOL")]
        pub value: bool,
    }

    #[derive(Deserialize)]
    pub struct M<T> {
        #[serde(rename = "M")]
        pub members: T,
    }

    #[derive(Deserialize)]
    pub struct L<T> {
        #[serde(rename = "L")]
        pub elements: Vec<T>,
    }
}
