//! The CPU clock of a process that is not ours.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::process::Command;
use std::time::{Duration, Instant};

use function_bench::Process;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeVal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// What `/proc/<pid>/stat` counts in.
const TICK: Duration = Duration::from_millis(10);

#[test]
fn the_clock_of_a_child_is_what_the_kernel_charges_for_it() {
    let mut child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
    let process = Process::of(child.id()).unwrap();
    while process.cpu_time().unwrap() < TICK * 5 {
        std::thread::yield_now();
    }
    let id = Pid::from_raw(child.id().try_into().unwrap());
    kill(id, Signal::SIGSTOP).unwrap();
    waitpid(id, Some(WaitPidFlag::WUNTRACED)).unwrap();
    let stopped_at = at_rest(process);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stopped_at.is_some(), "the clock goes on while the process is stopped");
    let stopped_at = stopped_at.unwrap_or_default();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let charged = duration(usage.user_time()) + duration(usage.system_time());
    assert!(stopped_at.abs_diff(charged) < TICK, "{stopped_at:?} by the clock, {charged:?} charged");
    assert!(Process::of(child.id()).is_err(), "a process that has ended has a clock");
}

/// The kernel says that a process has stopped before it has taken the processor from it, so the clock goes on for some
/// microseconds more. What it shows when it stands, if it ever does.
fn at_rest(process: Process) -> Option<Duration> {
    let started = Instant::now();
    while started.elapsed() < TICK * 500 {
        let before = process.cpu_time().unwrap();
        std::thread::sleep(TICK);
        if process.cpu_time().unwrap() == before {
            return Some(before);
        }
    }
    None
}

fn duration(time: TimeVal) -> Duration {
    let microseconds = time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(microseconds.try_into().unwrap_or_default())
}
