//! The demo of Tributary on the local stack, in parts that the end-to-end scenarios use too.
//!
//! - [`deployment`]: a stack with the CDK app deployed to it.
//! - [`source`]: what is written to the table.
//! - [`writer`], [`history`], [`inbox`], [`dead_letters`]: what was written, what the stream knows, what arrived, what died.
//! - [`ledger`]: compares them.
//! - [`datastore`], [`export_demo`], [`export_ledger`]: what lies in HealthLake, its runs, and what arrived of it.
//! - [`lake`], [`lake_demo`]: the files of the lake, who reads them, and what is in them.
//! - [`queue`]: what its consumers share.
//! - [`interruption`]: programs end what they started.
//! - [`fhir_check`]: two validators that are not ours.
//! - [`report`]: what the user sees.
//! - [`flow_bench`]: how fast a change is on the local stack, and how many a second it carries.

pub mod datastore;
pub mod dead_letters;
pub mod deployment;
pub mod export_demo;
pub mod export_ledger;
pub mod fhir_check;
pub mod flow_bench;
pub mod history;
pub mod inbox;
pub mod interruption;
pub mod lake;
pub mod lake_demo;
pub mod ledger;
pub mod options;
pub mod plain_json;
pub mod queue;
pub mod report;
pub mod source;
pub mod writer;
