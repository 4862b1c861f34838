//! What the scenarios share: a stack of their own with the app deployed to it, and how they look at it.

pub mod exports;
pub mod lake;
pub mod processes;
pub mod scenario;
pub mod traces;
