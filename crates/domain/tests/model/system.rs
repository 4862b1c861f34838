//! The world of the model: what may happen next, in any order, and what then holds.

use std::collections::BTreeSet;

use domain::export::close::{self, Commit};
use domain::export::datastore::{Datastore, DatastoreId, PollLimits, Scope};
use domain::export::failure::{Failure, FailureCode};
use domain::export::job::{JobId, Phase};
use domain::export::lease::{Beginning, Lease, State, begin, renew};
use domain::export::poll::{self, Next, Turn, take_turn};
use domain::export::run::{Run, RunId, RunKey, RunRecord, RunStatus, Shortfall};
use domain::export::start::{
    ListedJob, SettingOut, follow, job_to_follow, jobs_to_cancel, set_out, withdraw,
};
use domain::export::tally::Tally;
use domain::export::window::RunRequest;
use jiff::Timestamp;
use stateright::{Model, Property};

use super::guard::Guard;
use super::health_lake::{Job, Stage, Tick, Version};

pub const I4_NO_GAP: &str = "i4: what is not published yet lies in the next window";
pub const I4_COVERED: &str = "i4: a committed window has published whatever changed in it";
pub const I5_LEASE: &str = "i5: only the holder of the lease moves the cursor or frees the lease";
pub const I5_CURSOR: &str = "i5: the cursor never goes back, but by an operator's hand";
pub const ONE_JOB: &str = "a run follows one job";

const ALL_COMPLETE: &str = "all runs complete";
const TAKES_OVER: &str = "a run takes over and completes";
const INCOMPLETE: &str = "a run is incomplete";
const TWO_JOBS: &str = "two jobs of one run";
pub const EXPECTED_TO_HAPPEN: [&str; 4] = [ALL_COMPLETE, TAKES_OVER, INCOMPLETE, TWO_JOBS];

const SECONDS: u32 = 60;
const LEASE_TICKS: u32 = 1;
const OVERLAP_TICKS: u8 = 2;
/// How late a write may become visible.
const LAG_TICKS: u8 = OVERLAP_TICKS;

#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub runs: usize,
    pub ticks: Tick,
    /// Writes of the resource after its creation.
    pub writes: usize,
    /// Messages lost or doubled, functions that die, executions stopped, jobs that fail or lack a file, writes that become
    /// visible late, answers that are lost, an operator who sets the cursor back: so many in one history.
    pub faults: u8,
}

pub struct System {
    pub bounds: Bounds,
    pub without: Option<Guard>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    clock: Tick,
    faults_left: u8,
    versions: Vec<Version>,
    /// How many of the versions are superseded by what is on the bus.
    published: u8,
    jobs: Vec<Job>,
    state: Option<State>,
    records: Vec<Option<RunRecord>>,
    executions: Vec<Execution>,
    starters: BTreeSet<Starter>,
    polls: BTreeSet<Poll>,
    messages: u8,
    /// Who took the lease last and has not given it back.
    holder: Option<usize>,
    broken: BTreeSet<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Execution {
    step: Step,
    started: Tick,
    start_messages: u8,
    is_stopped: bool,
}

/// Where an execution stands. A function that was invoked goes on when its execution is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    Due,
    Begin,
    /// Coordinator: has the lease, and has yet to clean up after the run that held it.
    TakeOver(usize),
    Export,
    Publish {
        versions: u8,
    },
    Commit,
    /// Coordinator: read, not yet written.
    Write {
        was: Option<State>,
        record: Box<RunRecord>,
    },
    Fail(FailureCode),
    End,
}

/// A starter that has a job and has not stored it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Starter {
    run: usize,
    job: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Poll {
    run: usize,
    job: usize,
    number: u32,
    message: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Tick,
    Write,
    WriteVisibleLate,
    Schedule(usize),
    Begin(usize),
    TakeOver(usize),
    Start(usize),
    StartUnlisted(usize),
    StartThrottled(usize),
    StoreJob(usize),
    StarterDies(usize),
    LoseStart(usize),
    DoubleStart(usize),
    JobEnds(usize),
    JobLosesFile(usize),
    JobFails(usize),
    JobIsListed(usize),
    Poll(usize),
    PollAndDieBeforeAcknowledging(usize),
    LosePoll(usize),
    DoublePoll(usize),
    HeartbeatMissing(usize),
    Publish(usize),
    PublisherFails(usize),
    ReadForCommit(usize),
    WriteCommit(usize),
    WriteCommitAndLoseAnswer(usize),
    Fail(usize),
    Stop(usize),
    CleanUp(usize),
    OperatorSetsCursorBack,
}

fn at(tick: Tick) -> Timestamp {
    Timestamp::from_second(i64::from(tick) * i64::from(SECONDS)).expect("a time")
}

fn tick(at: Timestamp) -> Tick {
    Tick::try_from((at.as_second() / i64::from(SECONDS)).max(0)).expect("a tick")
}

fn job_id(job: usize) -> JobId {
    JobId(job.to_string())
}

impl World {
    fn key(&self, run: usize) -> RunKey {
        RunKey { started_at: at(self.executions[run].started), id: RunId(run.to_string()) }
    }

    fn cursor(&self) -> Option<Tick> {
        self.state.as_ref().and_then(|state| state.cursor).map(tick)
    }

    /// Whether somebody waits for the run's export.
    fn token_is_alive(&self, run: usize) -> bool {
        self.executions[run].step == Step::Export && !self.executions[run].is_stopped
    }

    fn fault(&mut self) -> Option<()> {
        self.faults_left = self.faults_left.checked_sub(1)?;
        Some(())
    }

    /// Drops what no decision looks at, so that histories which differ in nothing else are one.
    fn forget(&mut self) {
        if let Some(state) = &mut self.state {
            state.last_run = None;
        }
        for record in self.records.iter_mut().flatten() {
            record.revision = 0;
            record.ended_at = None;
            record.running_since = None;
            record.error = None;
            if record.status.is_over() {
                record.intended_at = None;
                record.chain = poll::Chain::default();
            }
        }
        let records = &self.records;
        let is_over = |run: usize| records[run].as_ref().is_some_and(|record| record.status.is_over());
        self.polls.retain(|message| !is_over(message.run));
        for (run, execution) in self.executions.iter_mut().enumerate() {
            if is_over(run) {
                execution.start_messages = 0;
            }
        }
    }

    fn listed(&self, run: usize) -> Vec<ListedJob> {
        let jobs = self.jobs.iter().enumerate().filter(|(_, job)| job.run == run && job.is_listed);
        jobs.map(|(number, job)| ListedJob {
            id: job_id(number),
            submitted_at: Some(at(job.submitted)),
            phase: phase(job),
        })
        .collect()
    }

    fn cancel(&mut self, job: usize) {
        if self.jobs[job].is_open() {
            self.jobs[job].stage = Stage::Cancelled;
        }
    }

    fn send_poll(&mut self, run: usize, job: usize, number: u32) {
        self.polls.insert(Poll { run, job, number, message: self.messages });
        self.messages += 1;
    }
}

fn phase(job: &Job) -> Phase {
    match job.stage {
        Stage::Open => Phase::Running,
        Stage::Done { .. } => Phase::Done { has_errors: false },
        Stage::Failed => Phase::Failed,
        Stage::Cancelled => Phase::Cancelled,
    }
}

impl System {
    fn lacks(&self, guard: Guard) -> bool {
        self.without == Some(guard)
    }

    fn datastore(&self) -> Datastore {
        let overlap = if self.lacks(Guard::Overlap) { 0 } else { u32::from(OVERLAP_TICKS) };
        Datastore {
            id: DatastoreId("d".to_owned()),
            scope: Scope::System,
            resource_types: Vec::new(),
            tags: Vec::new(),
            overlap_seconds: overlap * SECONDS,
            lease_seconds: LEASE_TICKS * SECONDS,
            range_bytes: 1,
            poll: PollLimits {
                first_delay_seconds: 1,
                longest_delay_seconds: 1,
                running_limit_seconds: 1_000_000,
            },
        }
    }

    fn run(&self, world: &World, run: usize) -> Run {
        let record = world.records[run].as_ref().expect("a run that has begun");
        Run { key: record.key.clone(), datastore: self.datastore(), mode: record.mode, window: record.window }
    }

    fn begin(&self, world: &mut World, run: usize) {
        let key = world.key(run);
        let mut seen = world.state.clone();
        if self.lacks(Guard::WindowAfterCursor)
            && let Some(seen) = &mut seen
        {
            seen.cursor = seen.cursor.filter(|cursor| *cursor < key.started_at);
        }
        let now = at(world.clock);
        let beginning = begin(
            seen.as_ref(),
            world.records[run].as_ref(),
            &key,
            &RunRequest::default(),
            &self.datastore(),
            now,
        );
        let took_over = match beginning.expect("a request without a window") {
            Beginning::Leased(leased) => {
                let cursor = world.state.as_ref().and_then(|state| state.cursor);
                world.state = Some(State { cursor, ..leased.state });
                world.holder = Some(run);
                let record = RunRecord { cursor, ..leased.record };
                let took_over = record.took_over.clone();
                world.records[run] = Some(record);
                took_over
            }
            Beginning::Resumed(record) => record.took_over,
            Beginning::Lost => {
                world.executions[run].step = Step::Fail(FailureCode::LeaseLost);
                return;
            }
            Beginning::Skipped(_) => {
                world.executions[run].step = Step::End;
                return;
            }
        };
        match took_over {
            Some(silent) => {
                world.executions[run].step = Step::TakeOver(silent.id.0.parse().expect("a run's number"));
            }
            None => Self::begun(world, run),
        }
    }

    fn begun(world: &mut World, run: usize) {
        if world.executions[run].is_stopped {
            world.executions[run].step = Step::End;
        } else {
            world.executions[run].step = Step::Export;
            world.executions[run].start_messages = 1;
        }
    }

    /// A starter takes the message and gets as far as to have a job, or gives up.
    fn start(&self, world: &mut World, run: usize, is_listed: bool) -> Option<()> {
        if !world.token_is_alive(run) {
            world.executions[run].start_messages = 0;
            return Some(());
        }
        let now = at(world.clock);
        if !self.renew(world, run) {
            world.executions[run].step = Step::Fail(FailureCode::LeaseLost);
            return Some(());
        }
        let record = world.records[run].clone()?;
        let may_start = match set_out(&record, now) {
            SettingOut::Stop => {
                world.executions[run].start_messages = 0;
                return Some(());
            }
            SettingOut::Follow(job) => {
                let job = job.0.parse().expect("a job's number");
                world.send_poll(run, job, 0);
                world.executions[run].start_messages -= 1;
                return Some(());
            }
            SettingOut::LookOnly => false,
            SettingOut::LookAndStart(intended) => {
                world.records[run] = Some(*intended);
                true
            }
        };
        let listed = world.listed(run);
        let job = match job_to_follow(&listed) {
            Some(job) => job.id.0.parse().expect("a job's number"),
            None if may_start => {
                let until = self.lacks(Guard::NoUntil).then(|| tick(record.window.until));
                world.jobs.push(Job {
                    run,
                    since: record.window.since.map(tick),
                    until,
                    submitted: world.clock,
                    is_listed,
                    stage: Stage::Open,
                });
                world.jobs.len() - 1
            }
            None => return None,
        };
        world.starters.insert(Starter { run, job });
        Some(())
    }

    fn store_job(&self, world: &mut World, starter: &Starter) -> Option<()> {
        let Starter { run, job } = *starter;
        world.starters.remove(starter);
        let mut record = world.records[run].clone()?;
        if self.lacks(Guard::OneJob) && !record.status.is_over() {
            record.job_id = None;
        }
        match follow(&record, &job_id(job)) {
            Some(following) => {
                let earlier = world.records[run].as_ref().and_then(|record| record.job_id.clone());
                if earlier.is_some_and(|earlier| earlier != job_id(job)) {
                    world.broken.insert(ONE_JOB);
                }
                world.records[run] = Some(following);
                world.send_poll(run, job, 0);
            }
            None => world.cancel(job),
        }
        world.executions[run].start_messages = world.executions[run].start_messages.saturating_sub(1);
        Some(())
    }

    fn renew(&self, world: &mut World, run: usize) -> bool {
        match renew(world.state.as_ref(), &self.run(world, run), at(world.clock)) {
            Ok(Some(renewed)) => {
                world.state = Some(renewed);
                true
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    fn poll(&self, world: &mut World, message: &Poll) -> Option<()> {
        let Poll { run, job, number, message: id } = *message;
        let record = world.records[run].clone()?;
        let record = match take_turn(&record, number, &id.to_string()) {
            Turn::Superseded | Turn::Over => return Some(()),
            Turn::TakeAgain => record,
            Turn::Take(taken) => {
                world.records[run] = Some((*taken).clone());
                *taken
            }
        };
        if !world.token_is_alive(run) {
            if record.status != RunStatus::Publishing {
                world.cancel(job);
            }
            return Some(());
        }
        if !self.renew(world, run) {
            world.cancel(job);
            world.executions[run].step = Step::Fail(FailureCode::LeaseLost);
            return Some(());
        }
        let now = at(world.clock);
        let limits = self.datastore().poll;
        let phase = phase(&world.jobs[job]);
        let record = poll::seen(&record, phase, now).unwrap_or(record);
        world.records[run] = Some(record.clone());
        match poll::next(phase, record.running_since, &limits, now) {
            Next::Wait => world.send_poll(run, job, number + 1),
            Next::Fail(code) | Next::CancelAndFail(code) => world.executions[run].step = Step::Fail(code),
            Next::Publish { .. } => {
                let Stage::Done { versions, is_whole } = world.jobs[job].stage else { return None };
                let shortfall = (!is_whole).then_some(Shortfall { has_job_errors: false, missing_files: 1 });
                world.records[run] = Some(poll::publishing(&record, 1, shortfall));
                world.executions[run].step = Step::Publish { versions };
            }
        }
        Some(())
    }

    fn publish(&self, world: &mut World, run: usize, versions: u8) {
        if self.renew(world, run) {
            world.published = world.published.max(versions);
            world.executions[run].step = Step::Commit;
        } else {
            world.executions[run].step = Step::Fail(FailureCode::LeaseLost);
        }
    }

    fn write_commit(&self, world: &mut World, run: usize, answer_is_lost: bool) -> Option<()> {
        let Step::Write { was, record } = world.executions[run].step.clone() else { return None };
        let is_stopped = world.executions[run].is_stopped;
        let as_read = was == world.state && world.records[run].as_ref() == Some(&record);
        if !as_read && !self.lacks(Guard::CompareAndSet) {
            world.executions[run].step = if is_stopped { Step::End } else { Step::Commit };
            return Some(());
        }
        let mut seen = was;
        if self.lacks(Guard::LeaseAtCommit) {
            let lease = Lease {
                run_id: record.key.id.clone(),
                run_started_at: record.key.started_at,
                expires_at: at(world.clock),
            };
            seen = Some(State { lease: Some(lease), ..seen.unwrap_or_default() });
        }
        let mut record = *record;
        if self.lacks(Guard::CursorAtCommit) {
            record.cursor = seen.as_ref().and_then(|seen| seen.cursor);
        }
        if self.lacks(Guard::IncompleteLeavesCursor) {
            record.shortfall = None;
        }
        if self.lacks(Guard::CursorIsStart) {
            record.window.until = at(world.clock);
        }
        let next = match close::commit(seen.as_ref(), &record, Tally::default(), at(world.clock)) {
            Commit::Close(closed) => {
                Self::note_commit(world, run, &closed.record);
                world.state = closed.state;
                world.records[run] = Some(closed.record);
                if answer_is_lost { Step::Commit } else { Step::End }
            }
            Commit::AlreadyClosed(_) => Step::End,
            Commit::Refused(code) => Step::Fail(code),
        };
        world.executions[run].step = if is_stopped { Step::End } else { next };
        Some(())
    }

    /// What has to be true whenever a run closes the lease with success.
    fn note_commit(world: &mut World, run: usize, record: &RunRecord) {
        if world.holder != Some(run) {
            world.broken.insert(I5_LEASE);
        }
        world.holder = None;
        if record.status != RunStatus::Completed {
            return;
        }
        let until = record.window.until;
        if world.cursor().is_some_and(|cursor| at(cursor) > until) {
            world.broken.insert(I5_CURSOR);
        }
        // A version that exports could see before the run began is on the bus, or a later one is.
        let changed =
            world.versions.iter().filter(|version| at(version.visible) < record.key.started_at).count();
        if usize::from(world.published) < changed {
            world.broken.insert(I4_COVERED);
        }
    }

    fn fail(&self, world: &mut World, run: usize, code: FailureCode) {
        let record = world.records[run].clone().unwrap_or_else(|| RunRecord::stillborn(world.key(run)));
        let mut seen = world.state.clone();
        if self.lacks(Guard::LeaseAtFailure)
            && let Some(lease) = seen.as_mut().and_then(|seen| seen.lease.as_mut())
        {
            lease.run_id = record.key.id.clone();
            lease.run_started_at = record.key.started_at;
        }
        let followed = record.job_id.clone();
        let listed = world.listed(run);
        if let Some(closed) = close::fail(seen.as_ref(), &record, Failure::new(code, None), at(world.clock)) {
            if let Some(state) = closed.state {
                if world.holder != Some(run) {
                    world.broken.insert(I5_LEASE);
                }
                world.holder = None;
                world.state = Some(state);
            }
            world.records[run] = Some(closed.record);
        }
        let jobs: Vec<JobId> = jobs_to_cancel(&listed, None).cloned().chain(followed).collect();
        for job in jobs {
            world.cancel(job.0.parse().expect("a job's number"));
        }
    }
}

impl Model for System {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let execution = Execution { step: Step::Due, started: 0, start_messages: 0, is_stopped: false };
        vec![World {
            clock: 1,
            faults_left: self.bounds.faults,
            versions: vec![Version { modified: 0, visible: 0 }],
            published: 0,
            jobs: Vec::new(),
            state: None,
            records: vec![None; self.bounds.runs],
            executions: vec![execution; self.bounds.runs],
            starters: BTreeSet::new(),
            polls: BTreeSet::new(),
            messages: 0,
            holder: None,
            broken: BTreeSet::new(),
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.clock < self.bounds.ticks {
            actions.push(Action::Tick);
        }
        if world.versions.len() <= self.bounds.writes {
            actions.extend([Action::Write, Action::WriteVisibleLate]);
        }
        for (run, execution) in world.executions.iter().enumerate() {
            match &execution.step {
                Step::Due => actions.push(Action::Schedule(run)),
                Step::Begin => actions.push(Action::Begin(run)),
                Step::TakeOver(_) => actions.push(Action::TakeOver(run)),
                Step::Export => actions.push(Action::HeartbeatMissing(run)),
                Step::Publish { .. } => actions.extend([Action::Publish(run), Action::PublisherFails(run)]),
                Step::Commit => actions.push(Action::ReadForCommit(run)),
                Step::Write { .. } => {
                    actions.extend([Action::WriteCommit(run), Action::WriteCommitAndLoseAnswer(run)]);
                }
                Step::Fail(_) => actions.push(Action::Fail(run)),
                Step::End => (),
            }
            if execution.start_messages > 0 {
                actions.extend([
                    Action::Start(run),
                    Action::StartUnlisted(run),
                    Action::StartThrottled(run),
                    Action::LoseStart(run),
                    Action::DoubleStart(run),
                ]);
            }
            let is_under_way = !matches!(execution.step, Step::Due | Step::End) && !execution.is_stopped;
            if is_under_way {
                actions.push(Action::Stop(run));
            }
            if execution.is_stopped {
                actions.push(Action::CleanUp(run));
            }
        }
        for starter in 0..world.starters.len() {
            actions.extend([Action::StoreJob(starter), Action::StarterDies(starter)]);
        }
        // One job at a time, the first that was submitted.
        if let Some(first) = world.jobs.iter().position(Job::is_open) {
            actions.extend([Action::JobEnds(first), Action::JobLosesFile(first), Action::JobFails(first)]);
        }
        for (number, job) in world.jobs.iter().enumerate() {
            if !job.is_listed {
                actions.push(Action::JobIsListed(number));
            }
        }
        for (position, message) in world.polls.iter().enumerate() {
            // A chain that only waits would never end; one that is not asked for a while is how a lease expires.
            if message.number == 0 || !world.jobs[message.job].is_open() || !world.token_is_alive(message.run)
            {
                actions.extend([Action::Poll(position), Action::PollAndDieBeforeAcknowledging(position)]);
            }
            actions.extend([Action::LosePoll(position), Action::DoublePoll(position)]);
        }
        if world.state.as_ref().is_some_and(|state| state.cursor.is_some()) {
            actions.push(Action::OperatorSetsCursorBack);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        self.apply(&mut next, &action)?;
        next.forget();
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(I4_NO_GAP, |system: &System, world: &World| {
                let request = RunRequest::default();
                let cursor = world.state.as_ref().and_then(|state| state.cursor);
                let window = request.window(cursor, system.datastore().overlap_seconds, at(world.clock));
                let since = window.expect("a request without a window").since;
                let unpublished = world.versions.get(usize::from(world.published)..).unwrap_or_default();
                // What was overwritten does not count: the last version does.
                unpublished.last().is_none_or(|last| since.is_none_or(|since| at(last.modified) >= since))
            }),
            Property::always(I4_COVERED, |_, world: &World| !world.broken.contains(I4_COVERED)),
            Property::always(I5_LEASE, |_, world: &World| !world.broken.contains(I5_LEASE)),
            Property::always(I5_CURSOR, |_, world: &World| !world.broken.contains(I5_CURSOR)),
            Property::always(ONE_JOB, |_, world: &World| !world.broken.contains(ONE_JOB)),
            Property::sometimes(ALL_COMPLETE, |_, world: &World| {
                world.records.iter().flatten().filter(|record| record.status == RunStatus::Completed).count()
                    == world.records.len()
            }),
            Property::sometimes(TAKES_OVER, |_, world: &World| {
                world
                    .records
                    .iter()
                    .flatten()
                    .any(|record| record.took_over.is_some() && record.status == RunStatus::Completed)
            }),
            Property::sometimes(INCOMPLETE, |_, world: &World| {
                world.records.iter().flatten().any(|record| record.status == RunStatus::Incomplete)
            }),
            Property::sometimes(TWO_JOBS, |_, world: &World| {
                world
                    .jobs
                    .iter()
                    .enumerate()
                    .any(|(number, job)| world.jobs.iter().skip(number + 1).any(|other| other.run == job.run))
            }),
        ]
    }
}

impl System {
    #[expect(clippy::too_many_lines, reason = "one arm for each action")]
    fn apply(&self, world: &mut World, action: &Action) -> Option<()> {
        match *action {
            Action::Tick => world.clock += 1,
            Action::Write => world.versions.push(Version { modified: world.clock, visible: world.clock }),
            Action::WriteVisibleLate => {
                world.fault()?;
                world.versions.push(Version { modified: world.clock, visible: world.clock + LAG_TICKS });
            }
            Action::Schedule(run) => {
                world.executions[run].started = world.clock;
                world.executions[run].step = Step::Begin;
            }
            Action::Begin(run) => self.begin(world, run),
            Action::TakeOver(run) => {
                let Step::TakeOver(silent) = world.executions[run].step else { return None };
                self.fail(world, silent, FailureCode::LeaseExpired);
                Self::begun(world, run);
            }
            Action::Start(run) => self.start(world, run, true)?,
            Action::StartUnlisted(run) => {
                world.fault()?;
                self.start(world, run, false)?;
            }
            Action::StartThrottled(run) => {
                world.fault()?;
                let record = world.records[run].clone().filter(|_| world.token_is_alive(run))?;
                let SettingOut::LookAndStart(intended) = set_out(&record, at(world.clock)) else {
                    return None;
                };
                world.records[run] = Some(withdraw(&intended));
            }
            Action::StoreJob(starter) => {
                let starter = world.starters.iter().nth(starter)?.clone();
                self.store_job(world, &starter)?;
            }
            Action::StarterDies(starter) => {
                world.fault()?;
                let starter = world.starters.iter().nth(starter)?.clone();
                world.starters.remove(&starter);
            }
            Action::LoseStart(run) => {
                world.fault()?;
                world.executions[run].start_messages -= 1;
            }
            Action::DoubleStart(run) => {
                world.fault()?;
                world.executions[run].start_messages += 1;
            }
            Action::JobEnds(job) => {
                let versions = world.jobs[job].scan(&world.versions, world.clock);
                world.jobs[job].stage = Stage::Done { versions, is_whole: true };
            }
            Action::JobLosesFile(job) => {
                world.fault()?;
                world.jobs[job].stage = Stage::Done { versions: 0, is_whole: false };
            }
            Action::JobFails(job) => {
                world.fault()?;
                world.jobs[job].stage = Stage::Failed;
            }
            Action::JobIsListed(job) => world.jobs[job].is_listed = true,
            Action::Poll(position) => {
                let message = world.polls.iter().nth(position)?.clone();
                world.polls.remove(&message);
                self.poll(world, &message)?;
            }
            Action::PollAndDieBeforeAcknowledging(position) => {
                world.fault()?;
                let message = world.polls.iter().nth(position)?.clone();
                self.poll(world, &message)?;
            }
            Action::LosePoll(position) => {
                world.fault()?;
                let message = world.polls.iter().nth(position)?.clone();
                world.polls.remove(&message);
            }
            Action::DoublePoll(position) => {
                world.fault()?;
                let Poll { run, job, number, .. } = *world.polls.iter().nth(position)?;
                world.send_poll(run, job, number);
            }
            Action::HeartbeatMissing(run) => {
                world.fault()?;
                world.executions[run].step = Step::Fail(FailureCode::HeartbeatMissing);
            }
            Action::Publish(run) => {
                let Step::Publish { versions } = world.executions[run].step else { return None };
                self.publish(world, run, versions);
            }
            Action::PublisherFails(run) => {
                world.fault()?;
                world.executions[run].step = Step::Fail(FailureCode::PublishFailed);
            }
            Action::ReadForCommit(run) => {
                let record = Box::new(world.records[run].clone()?);
                world.executions[run].step = Step::Write { was: world.state.clone(), record };
            }
            Action::WriteCommit(run) => self.write_commit(world, run, false)?,
            Action::WriteCommitAndLoseAnswer(run) => {
                world.fault()?;
                self.write_commit(world, run, true)?;
            }
            Action::Fail(run) => {
                let Step::Fail(code) = world.executions[run].step else { return None };
                self.fail(world, run, code);
                world.executions[run].step = Step::End;
            }
            Action::Stop(run) => {
                world.fault()?;
                let goes_on = matches!(
                    world.executions[run].step,
                    Step::Begin | Step::TakeOver(_) | Step::Write { .. }
                );
                world.executions[run].is_stopped = true;
                if !goes_on {
                    world.executions[run].step = Step::End;
                }
            }
            Action::CleanUp(run) => self.fail(world, run, FailureCode::ExecutionStopped),
            Action::OperatorSetsCursorBack => {
                world.fault()?;
                let state = world.state.as_mut().filter(|state| state.cursor != Some(at(0)))?;
                state.cursor = Some(at(0));
                world.published = 0;
            }
        }
        Some(())
    }
}
