//! The records of one invocation, as rows of the lake.

use std::fmt;

use domain::change::Reject;
use domain::lake::Row;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A batch, read out of the JSON array of its records: each by itself, so that one that cannot be read loses no other (I3).
#[derive(Debug, Default)]
pub struct Batch {
    pub rows: Vec<Row>,
    /// Of each row, the sequence number as it came: Lambda knows a record by it.
    pub numbers: Vec<String>,
    pub rejects: Vec<Rejected>,
}

/// A record that cannot become a row.
#[derive(Debug)]
pub struct Rejected {
    pub record: Box<RawValue>,
    pub reject: Reject,
}

impl Batch {
    fn push(&mut self, json: &RawValue) {
        match Row::of_record(json) {
            Ok((row, number)) => {
                self.rows.push(row);
                self.numbers.push(number.into_owned());
            }
            Err(reject) => self.rejects.push(Rejected { record: json.to_owned(), reject }),
        }
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Records;

        impl<'de> Visitor<'de> for Records {
            type Value = Batch;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of records")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<Batch, A::Error> {
                let mut batch = Batch::default();
                while let Some(record) = records.next_element::<&'de RawValue>()? {
                    batch.push(record);
                }
                Ok(batch)
            }
        }

        deserializer.deserialize_seq(Records)
    }
}
