//! What a live process has taken. Linux alone.

use std::time::Duration;

use anyhow::Context;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

#[derive(Debug, Clone, Copy)]
pub struct Process {
    id: Pid,
    cpu_clock: ClockId,
}

/// What is resident in memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub now: u64,
    pub peak: u64,
}

impl Process {
    /// # Errors
    /// Where there is no such process.
    pub fn of(id: u32) -> anyhow::Result<Self> {
        let id = Pid::from_raw(id.try_into().context("a process id is too large")?);
        let cpu_clock = clock_getcpuclockid(id).with_context(|| format!("process {id} has no clock"))?;
        Ok(Self { id, cpu_clock })
    }

    /// CPU time until now, its own and the kernel's for it, of all its threads, those that ended included; in
    /// nanoseconds (man 3 `clock_getcpuclockid`), where `/proc/<pid>/stat` counts in hundredths of a second. Processes that
    /// it starts are not in it: the runtimes that are measured here start none.
    ///
    /// # Errors
    /// Where the process has ended.
    pub fn cpu_time(&self) -> nix::Result<Duration> {
        clock_gettime(self.cpu_clock).map(Duration::from)
    }

    /// `VmRSS` and `VmHWM` (man 5 `proc_pid_status`).
    ///
    /// # Errors
    /// Where the process has ended.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let bytes = |name: &str| {
            let line =
                status.lines().find_map(|line| line.strip_prefix(name)).context("a field is missing")?;
            let kilobytes: u64 = line.trim_matches([':', '\t', ' ']).trim_end_matches(" kB").parse()?;
            anyhow::Ok(kilobytes * 1024)
        };
        Ok(Memory { now: bytes("VmRSS")?, peak: bytes("VmHWM")? })
    }
}
