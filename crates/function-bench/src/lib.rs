//! One Lambda function as a process, behind a Runtime API and the AWS services that it calls, all on a port of loopback.
//!
//! A function of any language is started as Lambda starts it, is handed one invocation at a time, and is measured from
//! outside: CPU time and memory of its process. What this side takes is not in it. Linux alone.

mod function;
mod measure;
mod process;
mod report;
mod runtime_api;
mod server;
pub mod services;
mod stderr_end;

pub use function::{Function, Invocation, Program, Start};
pub use measure::{Batch, Kind, Measured, measure};
pub use process::{Memory, Process};
pub use report::Report;
pub use server::Services;
