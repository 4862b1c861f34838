//! What every function needs around its decisions: configuration, clients, logs and metrics, and the two outside
//! services that more than one of them writes to.

pub mod clients;
pub mod dependency;
pub mod objects;
pub mod put_events;
pub mod queue;
pub mod step;
pub mod task;
pub mod telemetry;
pub mod time_left;
pub mod variables;
