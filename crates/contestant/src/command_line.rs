//! Tributary's side of the comparison in one process: `cargo xtask bench` runs it in turn with the programs of
//! `bench/peers`, which have the same command line.
//!
//! ```text
//! contestant JOB INPUT-FOLDER check FILE        does the job once and writes what came out, one record a line
//! contestant JOB INPUT-FOLDER measure SECONDS   does it for so many seconds of CPU time and prints how often
//! ```

#![expect(clippy::print_stdout, reason = "prints what it measures")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::{Job, job};

/// # Errors
/// Where the arguments or the input are not what a job takes.
pub fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, folder, mode, value] = arguments.as_slice() else {
        bail!("usage: contestant JOB INPUT-FOLDER check FILE | measure SECONDS");
    };
    let mut job = job(name, Path::new(folder))?;
    match mode.as_str() {
        "check" => {
            let lines: String = job.records()?.iter().flat_map(|record| [record, "\n"]).collect();
            std::fs::write(value, lines).with_context(|| format!("writing {value}"))
        }
        "measure" => measure(job.as_mut(), value.parse().context("SECONDS is no number")?),
        _ => bail!("{mode} is unknown; there are check and measure"),
    }
}

fn measure(job: &mut dyn Job, seconds: f64) -> Result<()> {
    run_for(job, (seconds / 5.0).max(1.0))?;
    let (iterations, taken) = run_for(job, seconds)?;
    println!("{}", json!({"iterations": iterations, "cpuSeconds": taken.as_secs_f64()}));
    Ok(())
}

fn run_for(job: &mut dyn Job, seconds: f64) -> Result<(u64, Duration)> {
    let started = cpu_time()?;
    let mut iterations = 0;
    loop {
        std::hint::black_box(job.run()?);
        iterations += 1;
        let taken = cpu_time()?.saturating_sub(started);
        if taken.as_secs_f64() >= seconds {
            return Ok((iterations, taken));
        }
    }
}

/// Of all threads of the process.
fn cpu_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}
