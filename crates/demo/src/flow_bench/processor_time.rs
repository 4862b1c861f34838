//! Processor time of the processes of a stack, and of everything else on the machine, out of /proc.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use local_stack::stack::StackRecord;

/// /proc counts in hundredths of a second, on every Linux that matters here (proc_pid_stat(5): `sysconf(_SC_CLK_TCK)`).
const TICKS_PER_SECOND: f64 = 100.0;
/// What keeps a core this busy cannot go faster: the rest is lost between two samples.
const BUSY: f64 = 0.9;

/// A part of what runs, and what it does.
pub const MINISTACK: &str = "MiniStack";
pub const RUNNER: &str = "runner";
pub const BENCH: &str = "writer and consumers";
pub const OTHERS: &str = "other processes of the machine";

/// How much of a core each part kept busy; functions by their names.
pub type Cores = BTreeMap<String, f64>;

/// What every process had used at one moment.
pub struct Sample {
    at: Instant,
    /// In ticks, by process.
    used: BTreeMap<u32, (String, f64)>,
    /// Of the whole machine, in ticks.
    busy: f64,
}

impl Sample {
    /// # Errors
    /// Where /proc cannot be read.
    pub fn take(stack: &StackRecord) -> Result<Self> {
        let mut used = BTreeMap::new();
        for entry in fs::read_dir("/proc").context("reading /proc")? {
            let folder = entry?.path();
            let Some(process) = folder.file_name().and_then(|name| name.to_str()?.parse().ok()) else {
                continue;
            };
            // A process may end while it is looked at.
            let Ok(stat) = fs::read_to_string(folder.join("stat")) else { continue };
            let Some((parent, ticks)) = parent_and_ticks(&stat) else { continue };
            if let Some(part) = part(stack, process, parent, &folder) {
                used.insert(process, (part, ticks));
            }
        }
        let stat = fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
        let busy = busy_ticks(&stat).context("/proc/stat does not begin with the processors' times")?;
        Ok(Self { at: Instant::now(), used, busy })
    }

    /// What was used since an earlier sample.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Cores {
        let seconds = self.at.duration_since(earlier.at).max(Duration::from_millis(1)).as_secs_f64();
        let cores = |ticks: f64| (ticks / TICKS_PER_SECOND / seconds * 100.0).round() / 100.0;
        let mut ticks: BTreeMap<&str, f64> = BTreeMap::new();
        for (process, (part, used)) in &self.used {
            let before = earlier.used.get(process).map_or(0.0, |(_, used)| *used);
            *ticks.entry(part).or_default() += used - before;
        }
        let ours: f64 = ticks.values().sum();
        ticks.insert(OTHERS, (self.busy - earlier.busy - ours).max(0.0));
        ticks.into_iter().map(|(part, ticks)| (part.to_owned(), cores(ticks))).collect()
    }
}

/// What bound a rate: the part that used a core up, or else all that used the machine up. Where neither is, it is the order
/// in which a shard is delivered: one batch at a time, and within it one part after the other.
#[must_use]
pub fn bound_by(cores: &Cores, processors: usize) -> String {
    let mut busiest: Vec<(&String, &f64)> = cores.iter().collect();
    busiest.sort_by(|one, other| other.1.total_cmp(one.1));
    let shares = busiest.iter().map(|(part, busy)| format!("{part} {:.0} %", *busy * 100.0));
    let shares = shares.collect::<Vec<_>>().join(", ");
    let used_up = busiest.iter().find(|(part, busy)| *part != OTHERS && **busy >= BUSY);
    #[expect(clippy::cast_precision_loss, reason = "no machine has that many processors")]
    let are_all_used_up = cores.values().sum::<f64>() >= BUSY * processors as f64;
    match used_up {
        Some((part, _)) => format!("{part}, which used up a core (of a core: {shares})"),
        None if are_all_used_up => format!("the machine's {processors} cores (of a core: {shares})"),
        None => format!("one batch at a time, whose parts wait for each other (of a core: {shares})"),
    }
}

fn part(stack: &StackRecord, process: u32, parent: u32, folder: &Path) -> Option<String> {
    let name = if process == stack.ministack_process {
        MINISTACK
    } else if process == stack.runner_process {
        RUNNER
    } else if process == std::process::id() {
        BENCH
    } else if parent == stack.ministack_process {
        return Some(function_name(folder));
    } else {
        return None;
    };
    Some(name.to_owned())
}

/// What a process of MiniStack says in its environment which function it is.
fn function_name(folder: &Path) -> String {
    let environment = fs::read(folder.join("environ")).unwrap_or_default();
    let variables = environment.split(|byte| *byte == 0);
    variables
        .filter_map(|variable| variable.strip_prefix(b"AWS_LAMBDA_FUNCTION_NAME="))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .next()
        .unwrap_or_else(|| "a child of MiniStack".to_owned())
}

/// Of a process: fields 4, 14 and 15 of proc_pid_stat(5). The name before them may hold anything, a parenthesis too.
fn parent_and_ticks(stat: &str) -> Option<(u32, f64)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let mut times = fields.skip(9);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    Some((parent, user + system))
}

/// Of the machine: user, nice, system, interrupts and stolen time, which is all but idle and iowait (proc_stat(5)).
fn busy_ticks(stat: &str) -> Option<f64> {
    let times = stat.lines().next()?.strip_prefix("cpu ")?;
    let times: Vec<f64> = times.split_ascii_whitespace().map_while(|time| time.parse().ok()).collect();
    match times.as_slice() {
        [user, nice, system, _idle, _iowait, interrupts, soft_interrupts, stolen, ..] => {
            Some(user + nice + system + interrupts + soft_interrupts + stolen)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_process_whatever_its_name() {
        let rest = "S 41 2 3 0 -1 5 6 7 8 9 120 30 10 20 20 0 1";
        for name in ["bootstrap", "a (b) c", "S 1 2"] {
            assert_eq!(parent_and_ticks(&format!("42 ({name}) {rest}")), Some((41, 150.0)), "{name}");
        }
        assert_eq!(parent_and_ticks("42 (bootstrap) S 41"), None);
    }

    #[test]
    fn idle_time_is_not_busy() {
        assert_eq!(busy_ticks("cpu  1 2 4 1000 1000 8 16 32 0 0\ncpu0 9 9\n"), Some(63.0));
        assert_eq!(busy_ticks("intr 1 2 3"), None);
    }

    #[test]
    fn a_process_that_began_or_was_there_before_counts_from_its_beginning_or_from_then() {
        let at = Instant::now();
        let used = |of: &[(u32, &str, f64)]| {
            of.iter().map(|(process, part, ticks)| (*process, ((*part).to_owned(), *ticks))).collect()
        };
        let earlier = Sample { at, used: used(&[(1, MINISTACK, 50.0), (2, "router", 10.0)]), busy: 1_000.0 };
        let later = Sample {
            at: at + Duration::from_secs(2),
            used: used(&[(1, MINISTACK, 250.0), (2, "router", 20.0), (3, "router", 40.0)]),
            busy: 1_300.0,
        };
        let expected = [(MINISTACK, 1.0), ("router", 0.25), (OTHERS, 0.25)];
        assert_eq!(later.since(&earlier), expected.map(|(part, cores)| (part.to_owned(), cores)).into());
    }

    #[test]
    fn the_bound_is_a_process_or_the_machine_or_the_order_of_the_parts() {
        let cores = |of: &[(&str, f64)]| of.iter().map(|(part, busy)| ((*part).to_owned(), *busy)).collect();
        for (used, expected) in [
            (
                vec![(RUNNER, 0.1), (MINISTACK, 0.97)],
                "MiniStack, which used up a core (of a core: MiniStack 97 %, runner 10 %)",
            ),
            (
                vec![(MINISTACK, 0.5), ("item-router", 0.4), (OTHERS, 0.95)],
                "the machine's 2 cores (of a core: other processes of the machine 95 %, MiniStack 50 %, item-router 40 %)",
            ),
            (
                vec![(MINISTACK, 0.5)],
                "one batch at a time, whose parts wait for each other (of a core: MiniStack 50 %)",
            ),
        ] {
            assert_eq!(bound_by(&cores(&used), 2), expected);
        }
    }
}
