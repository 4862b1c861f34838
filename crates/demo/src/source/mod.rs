//! What the demo writes to the table.

mod fhir;
mod generated;
mod sample;

use serde_json::{Map, Value};

pub use fhir::{FhirSource, read_folder};
pub use generated::{Generated, generate};
pub use sample::sample;

/// One write to the table, which becomes one stream record.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// The whole item, over an earlier one of its key.
    Put(Map<String, Value>),
    Remove {
        id: String,
        sk: String,
    },
}

impl Write {
    /// The key of the item, `id` and `sk`.
    #[must_use]
    pub fn key(&self) -> (String, String) {
        match self {
            Self::Put(item) => {
                let text = |name| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                (text("id"), text("sk"))
            }
            Self::Remove { id, sk } => (id.clone(), sk.clone()),
        }
    }
}
