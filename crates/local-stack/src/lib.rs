//! AWS on one machine: MiniStack, and beside it what MiniStack lacks.
//!
//! - [`stack`]: the life cycle of the processes.
//! - [`runner`]: reads DynamoDB streams for pipes and for event source mappings of Lambda.
//! - [`healthlake`]: stands in for AWS HealthLake.
//!
//! Nothing here knows what is deployed to it.

pub mod endpoint;
pub mod healthlake;
pub mod runner;
pub mod stack;
