//! How fast a change is on the local stack: from a write to the table to a consumer that waits at the queue.
//!
//! - [`items`]: what is written.
//! - [`consumer`]: who waits at the queue.
//! - [`latency`]: one item at a time, the next one a moment after the one before has arrived.
//! - [`backlog`]: more and more items a second, until they come out more slowly than they go in.
//! - [`under_way`]: whether they pile up.
//! - [`processor_time`]: which process was busy meanwhile.
//! - [`versions`]: of what all this ran on.

pub mod backlog;
pub mod consumer;
pub mod items;
pub mod latency;
pub mod processor_time;
pub mod under_way;
pub mod versions;
