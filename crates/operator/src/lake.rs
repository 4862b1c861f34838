//! The lake, as an operator tends it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::{Target, lake_backfill, lake_compact, lake_replay};

#[derive(Subcommand)]
pub enum Task {
    /// Take a table that was full before the lake was there into the lake.
    ///
    /// Deploy the lake first, then export (or scan), then run this: the stream has to tell whatever changes after the copy.
    /// It may be interrupted and run again: it goes on where it was. A scan that has ended is followed by a new one, whose
    /// rows are further SNAPSHOTs of a later time.
    Backfill(lake_backfill::Arguments),
    /// Start the compaction of what is due, as the schedule does.
    Compact(CompactArguments),
    /// Send what did not get into the lake through the writer again.
    ///
    /// Safe at any time: a row that is in the lake already comes again under the same id. What fails again stays where it is.
    Replay(Target),
}

#[derive(Args)]
pub struct CompactArguments {
    /// Do not wait until files have settled: compact all there is
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    target: Target,
}

pub async fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Backfill(arguments) => lake_backfill::run(&arguments).await,
        Task::Compact(CompactArguments { now, target }) => lake_compact::run(&target, now).await,
        Task::Replay(target) => lake_replay::run(&target).await,
    }
}
