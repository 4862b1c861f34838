//! What was published: of one range, and of a run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts, which add up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Lines that the bus took as events, by resource type.
    pub published: BTreeMap<String, u64>,
    /// Lines that are no FHIR resources, by reason; they lie in the dead letters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected: BTreeMap<String, u64>,
    /// Resources too large for the bus, which their event refers to in S3; they are among the published.
    pub claim_checked: u64,
    /// Bytes of the export that were read, line feeds included.
    pub bytes: u64,
}

impl Tally {
    #[must_use]
    pub fn published_total(&self) -> u64 {
        self.published.values().sum()
    }

    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }

    pub fn count_published(&mut self, resource_type: &str) {
        count(&mut self.published, resource_type);
    }

    pub fn count_rejected(&mut self, reason: &str) {
        count(&mut self.rejected, reason);
    }

    pub fn add(&mut self, other: &Self) {
        for (sums, counts) in [(&mut self.published, &other.published), (&mut self.rejected, &other.rejected)]
        {
            for (name, count) in counts {
                *sums.entry(name.clone()).or_default() += count;
            }
        }
        self.claim_checked += other.claim_checked;
        self.bytes += other.bytes;
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

/// The result object of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RangeResult {
    pub index: u32,
    /// Of the file that was read.
    pub etag: String,
    pub tally: Tally,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up() {
        let mut one = Tally { bytes: 10, claim_checked: 1, ..Tally::default() };
        one.count_published("Patient");
        one.count_published("Patient");
        one.count_rejected("line-no-json");
        let mut other = Tally { bytes: 5, ..Tally::default() };
        other.count_published("Device");
        other.count_rejected("line-no-json");
        one.add(&other);
        assert_eq!(
            (one.published_total(), one.rejected_total(), one.bytes, one.claim_checked),
            (3, 2, 15, 1)
        );
        assert_eq!(one.published.get("Patient"), Some(&2));
    }
}
