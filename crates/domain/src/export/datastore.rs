//! What a deployment says of one HealthLake datastore.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// HealthLake's own name of a datastore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DatastoreId(pub String);

impl DatastoreId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatastoreId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How a datastore is exported; the options of the CDK app, as the state machine hands them on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Datastore {
    pub id: DatastoreId,
    pub scope: Scope,
    /// The types to export; none for all.
    pub resource_types: Vec<String>,
    /// `system|code`; a resource must have them all.
    pub tags: Vec<String>,
    /// How far a window reaches back over the cursor: for clocks that disagree, and for writes that become visible late.
    pub overlap_seconds: u32,
    /// How long a run may be silent before another takes its lease.
    pub lease_seconds: u32,
    /// About how large a range is that one invocation publishes.
    pub range_bytes: u64,
    pub poll: PollLimits,
}

/// What is exported (AWS HealthLake developer guide, "Exporting HealthLake data with FHIR $export").
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Scope {
    /// The whole datastore.
    System,
    /// What belongs to patients.
    Patient,
    /// What belongs to the patients of one group.
    Group { group_id: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PollLimits {
    pub first_delay_seconds: u32,
    pub longest_delay_seconds: u32,
    /// How long a job may run, from when HealthLake has begun it: the queue before it belongs to the account.
    pub running_limit_seconds: u32,
}
