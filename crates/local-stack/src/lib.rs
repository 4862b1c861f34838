//! AWS on one machine: MiniStack, and beside it what MiniStack lacks.
//!
//! - [`stack`]: the life cycle of the processes.
//! - [`runner`]: executes EventBridge pipes from DynamoDB streams.
//!
//! Nothing here knows what is deployed to it.

pub mod endpoint;
pub mod runner;
pub mod stack;
