//! Exports from AWS HealthLake: what a run may do, and what it makes of the exported lines.
//!
//! A run goes through five decisions. [`lease`] says whether it may begin and what its [`window`] is, [`start`] whether a
//! job has to be started or one is there to be followed, [`poll`] and [`job`] what the job's status means and when to ask
//! again, [`manifest`] into which ranges its files are cut, and [`close`] whether the run may move the cursor. Each takes
//! what is stored and the time, and answers what to store instead: the functions compare and set, and decide nothing.
//!
//! What a range yields: [`resource`] makes an event of a line, or finds out why it cannot; [`tally`] counts; [`announce`]
//! tells the bus about the run.

pub mod announce;
pub mod close;
pub mod datastore;
pub mod dead_line;
pub mod failure;
pub mod job;
pub mod lease;
pub mod manifest;
pub mod poll;
pub mod resource;
pub mod run;
pub mod start;
pub mod tally;
pub mod window;
