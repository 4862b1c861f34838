//! What a run may do, case by case. `export_model.rs` shows that the decisions together keep the promises.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use domain::export::announce::Announcement;
use domain::export::close::{AcceptError, Closed, Commit, accept, commit, fail};
use domain::export::datastore::{Datastore, DatastoreId, PollLimits, Scope};
use domain::export::failure::{Failure, FailureCode};
use domain::export::job::{JobId, Phase};
use domain::export::lease::{Beginning, LastRun, Lease, LeaseLost, Leased, SkipReason, State, begin, renew};
use domain::export::poll::{Chain, Turn, publishing, seen, take_turn};
use domain::export::run::{Acceptance, Run, RunId, RunKey, RunRecord, RunStatus, Shortfall};
use domain::export::start::{
    ListedJob, SETTLES_AFTER, SettingOut, follow, job_to_follow, jobs_to_cancel, set_out,
};
use domain::export::tally::Tally;
use domain::export::window::{Mode, RunRequest, Window, WindowError};
use jiff::{SignedDuration, Timestamp};

const LEASE_SECONDS: i64 = 900;
const OPEN: [RunStatus; 3] = [RunStatus::Starting, RunStatus::Exporting, RunStatus::Publishing];
const OVER: [RunStatus; 3] = [RunStatus::Completed, RunStatus::Incomplete, RunStatus::Failed];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn datastore() -> Datastore {
    Datastore {
        id: DatastoreId("d1".to_owned()),
        scope: Scope::System,
        resource_types: Vec::new(),
        tags: Vec::new(),
        overlap_seconds: 120,
        lease_seconds: 900,
        range_bytes: 1 << 26,
        poll: PollLimits {
            first_delay_seconds: 10,
            longest_delay_seconds: 120,
            running_limit_seconds: 21_600,
        },
    }
}

fn key(id: &str, started_at: i64) -> RunKey {
    RunKey { started_at: at(started_at), id: RunId(id.to_owned()) }
}

/// The run of most cases: it started at 10,000, when the cursor was at 5,000.
fn mine() -> RunKey {
    key("mine", 10_000)
}

fn window() -> Window {
    Window { since: Some(at(4_880)), until: at(10_000) }
}

fn record(status: RunStatus) -> RunRecord {
    RunRecord { status, ..RunRecord::begun(mine(), Mode::Incremental, window(), Some(at(5_000))) }
}

fn run() -> Run {
    Run { key: mine(), datastore: datastore(), mode: Mode::Incremental, window: window() }
}

fn lease(of: &RunKey, expires_at: i64) -> Lease {
    Lease { run_id: of.id.clone(), run_started_at: of.started_at, expires_at: at(expires_at) }
}

fn state(cursor: Option<i64>, lease: Option<Lease>) -> State {
    State { cursor: cursor.map(at), lease, last_run: Some(last_run("earlier", RunStatus::Completed)) }
}

fn last_run(id: &str, status: RunStatus) -> LastRun {
    LastRun { id: RunId(id.to_owned()), status }
}

fn leased_to_me() -> State {
    state(Some(5_000), Some(lease(&mine(), 20_000)))
}

fn job(id: &str) -> JobId {
    JobId(id.to_owned())
}

fn tally() -> Tally {
    Tally { bytes: 7, ..Tally::default() }
}

fn asked(mode: Mode) -> RunRequest {
    let is_replay = mode == Mode::Replay;
    RunRequest { mode, since: is_replay.then(|| at(10)), until: is_replay.then(|| at(20)) }
}

#[test]
fn i5_a_run_begins_only_where_the_lease_is_free_or_expired() {
    use Mode::{Full, Incremental, Replay};
    let other = key("other", 9_000);
    let held = |expires_at| Some(lease(&other, expires_at));
    let leased = |since: Option<i64>, until| Ok((since.map(at), at(until)));
    let held_by = || Err(SkipReason::LeaseHeld { by: other.id.clone() });
    let later = || Err(SkipReason::CursorIsLater);
    let cases = [
        ("the first run of a datastore", None, Incremental, leased(None, 10_000)),
        ("free, never committed", Some(state(None, None)), Incremental, leased(None, 10_000)),
        ("free", Some(state(Some(5_000), None)), Incremental, leased(Some(4_880), 10_000)),
        ("free, a full run", Some(state(Some(5_000), None)), Full, leased(None, 10_000)),
        ("free, a replay", Some(state(Some(5_000), None)), Replay, leased(Some(10), 20)),
        ("held", Some(state(Some(5_000), held(10_061))), Incremental, held_by()),
        ("held, a full run", Some(state(Some(5_000), held(10_061))), Full, held_by()),
        ("held, a replay", Some(state(Some(5_000), held(10_061))), Replay, held_by()),
        ("held, and the cursor is later", Some(state(Some(99_000), held(10_061))), Incremental, held_by()),
        (
            "expired just now",
            Some(state(Some(5_000), held(10_060))),
            Incremental,
            leased(Some(4_880), 10_000),
        ),
        ("expired long ago", Some(state(Some(5_000), held(1))), Incremental, leased(Some(4_880), 10_000)),
        ("expired, and the cursor is later", Some(state(Some(99_000), held(1))), Incremental, later()),
        (
            "the cursor is just before",
            Some(state(Some(9_999), None)),
            Incremental,
            leased(Some(9_879), 10_000),
        ),
        ("the cursor is at the start", Some(state(Some(10_000), None)), Incremental, later()),
        ("the cursor is later", Some(state(Some(10_001), None)), Incremental, later()),
        ("the cursor is later, a full run", Some(state(Some(10_001), None)), Full, later()),
        ("the cursor is later, a replay", Some(state(Some(99_000), None)), Replay, leased(Some(10), 20)),
    ];
    let now = 10_060;
    for (name, was, mode, expected) in cases {
        let beginning = begin(was.as_ref(), None, &mine(), &asked(mode), &datastore(), at(now)).unwrap();
        let was = was.unwrap_or_default();
        let expected = match expected {
            Err(reason) => Beginning::Skipped(reason),
            Ok((since, until)) => Beginning::Leased(Box::new(Leased {
                record: RunRecord {
                    took_over: was.lease.as_ref().map(Lease::holder),
                    ..RunRecord::begun(mine(), mode, Window { since, until }, was.cursor)
                },
                state: State { lease: Some(lease(&mine(), now + LEASE_SECONDS)), ..was },
            })),
        };
        assert_eq!(beginning, expected, "{name}");
    }
}

#[test]
fn i5_a_run_that_comes_back_goes_on_where_it_was_or_not_at_all() {
    let twin = key("mine", 9_000);
    let cases = [
        ("its own", Some(leased_to_me()), true),
        ("its own, expired", Some(state(Some(5_000), Some(lease(&mine(), 1)))), true),
        ("its own, and the cursor was moved", Some(state(Some(6_000), Some(lease(&mine(), 20_000)))), true),
        ("another's", Some(state(Some(5_000), Some(lease(&key("other", 9_000), 20_000)))), false),
        ("of a run of its name, started before", Some(state(Some(5_000), Some(lease(&twin, 20_000)))), false),
        ("free", Some(state(Some(5_000), None)), false),
        ("of a datastore without an item", None, false),
    ];
    let begin = |state: Option<&State>, record: &RunRecord| {
        begin(state, Some(record), &mine(), &RunRequest::default(), &datastore(), at(10_060)).unwrap()
    };
    for (name, state, resumes) in &cases {
        for status in OPEN {
            let record = record(status);
            let expected =
                if *resumes { Beginning::Resumed(Box::new(record.clone())) } else { Beginning::Lost };
            assert_eq!(begin(state.as_ref(), &record), expected, "{name}, {status:?}");
        }
        for status in OVER {
            let found = begin(state.as_ref(), &record(status));
            assert_eq!(found, Beginning::Skipped(SkipReason::RunIsOver), "{name}, {status:?}");
        }
    }
}

#[test]
fn a_run_whose_request_is_wrong_takes_no_lease() {
    let request = RunRequest { mode: Mode::Incremental, since: Some(at(1)), until: None };
    for was in [None, Some(state(None, None)), Some(state(None, Some(lease(&key("other", 1), 99_000))))] {
        let refused = begin(was.as_ref(), None, &mine(), &request, &datastore(), at(10_060));
        assert_eq!(refused, Err(WindowError::WindowWithoutReplay));
    }
}

#[test]
fn i4_the_windows_of_committed_runs_tile() {
    let mut stored: Option<State> = None;
    let mut reached = None;
    // One in three fails, one in five is incomplete: neither leaves a gap.
    for number in 1..100 {
        let run = key(&format!("run-{number}"), number * 600);
        let now = at(number * 600 + 30);
        let begun = begin(stored.as_ref(), None, &run, &RunRequest::default(), &datastore(), now).unwrap();
        let Beginning::Leased(leased) = begun else { panic!("{begun:?}") };
        let expected = reached.map(|reached: i64| at(reached - 120));
        assert_eq!(leased.record.window, Window { since: expected, until: run.started_at });
        let closed = if number % 3 == 0 {
            let failure = Failure::new(FailureCode::JobFailed, None);
            fail(Some(&leased.state), &leased.record, failure, now).unwrap()
        } else {
            let is_whole = number % 5 != 0;
            let shortfall = (!is_whole).then_some(Shortfall { has_job_errors: true, missing_files: 0 });
            let record = publishing(&leased.record, 1, shortfall);
            match commit(Some(&leased.state), &record, tally(), now) {
                Commit::Close(closed) => {
                    reached = if is_whole { Some(number * 600) } else { reached };
                    *closed
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(closed.state.as_ref().unwrap().cursor, reached.map(at));
        assert!(closed.state.as_ref().unwrap().lease.is_none());
        stored = closed.state;
    }
}

#[test]
fn i5_a_lease_is_renewed_by_its_run_alone() {
    let now = 10_060;
    let renewed = Ok(Some(now + LEASE_SECONDS));
    let half = now + LEASE_SECONDS / 2;
    let held = |of: &RunKey, expires_at| Some(state(Some(5_000), Some(lease(of, expires_at))));
    let cases = [
        ("just taken", held(&mine(), now + LEASE_SECONDS), Ok(None)),
        ("half of it left", held(&mine(), half), Ok(None)),
        ("less than half", held(&mine(), half - 1), renewed),
        ("expired, and nobody took it", held(&mine(), now - 5_000), renewed),
        ("taken by another", held(&key("other", 10_050), now + LEASE_SECONDS), Err(LeaseLost)),
        ("taken by another, and expired", held(&key("other", 10_050), 1), Err(LeaseLost)),
        ("of a run of the same name", held(&key("mine", 10_001), now + LEASE_SECONDS), Err(LeaseLost)),
        ("free", Some(state(Some(5_000), None)), Err(LeaseLost)),
        ("the item was deleted", None, Err(LeaseLost)),
    ];
    for (name, was, expected) in cases {
        let expected = expected.map(|renewed| {
            renewed.map(|expires_at| State {
                lease: Some(lease(&mine(), expires_at)),
                ..was.clone().unwrap_or_default()
            })
        });
        assert_eq!(renew(was.as_ref(), &run(), at(now)), expected, "{name}");
    }
}

#[test]
fn i4_i5_only_a_whole_export_moves_the_cursor() {
    let shortfall = Some(Shortfall { has_job_errors: false, missing_files: 1 });
    let (moved, stays) = (Some(10_000), Some(5_000));
    let cases = [
        (Mode::Incremental, None, RunStatus::Completed, moved),
        (Mode::Full, None, RunStatus::Completed, moved),
        (Mode::Replay, None, RunStatus::Completed, stays),
        (Mode::Incremental, shortfall, RunStatus::Incomplete, stays),
        (Mode::Full, shortfall, RunStatus::Incomplete, stays),
        (Mode::Replay, shortfall, RunStatus::Incomplete, stays),
    ];
    for (mode, shortfall, status, cursor) in cases {
        for was_status in OPEN {
            let range_failure = Some(Failure::new(FailureCode::BusRefused, None));
            let was = RunRecord { mode, shortfall, range_failure, revision: 4, ..record(was_status) };
            let expected = Commit::Close(Box::new(Closed {
                state: Some(State { last_run: Some(last_run("mine", status)), ..state(cursor, None) }),
                record: RunRecord {
                    status,
                    tally: Some(tally()),
                    ended_at: Some(at(11_000)),
                    range_failure: None,
                    revision: 5,
                    ..was.clone()
                },
            }));
            let found = commit(Some(&leased_to_me()), &was, tally(), at(11_000));
            assert_eq!(found, expected, "{mode:?} {shortfall:?} {was_status:?}");
        }
    }
}

#[test]
fn i5_nobody_commits_without_the_lease_or_past_another_cursor() {
    use FailureCode::{CursorMoved, LeaseLost};
    let held = |cursor: Option<i64>, expires_at| Some(state(cursor, Some(lease(&mine(), expires_at))));
    let other = |id, started_at| Some(state(Some(5_000), Some(lease(&key(id, started_at), 20_000))));
    let cases = [
        ("another's", other("other", 10_001), Some(LeaseLost)),
        ("of a run of its name", other("mine", 10_001), Some(LeaseLost)),
        ("free", Some(state(Some(5_000), None)), Some(LeaseLost)),
        ("the item was deleted", None, Some(LeaseLost)),
        ("the cursor went on", held(Some(5_001), 20_000), Some(CursorMoved)),
        ("the cursor went back", held(Some(4_999), 20_000), Some(CursorMoved)),
        ("the cursor went to where this run's would", held(Some(10_000), 20_000), Some(CursorMoved)),
        ("the cursor was deleted", held(None, 20_000), Some(CursorMoved)),
        ("its own, expired, and nobody took it", held(Some(5_000), 1), None),
    ];
    for (name, state, refusal) in cases {
        for mode in [Mode::Incremental, Mode::Full, Mode::Replay] {
            let record = RunRecord { mode, ..record(RunStatus::Publishing) };
            let refused = match commit(state.as_ref(), &record, tally(), at(11_000)) {
                Commit::Refused(code) => Some(code),
                Commit::Close(_) => None,
                Commit::AlreadyClosed(status) => panic!("{status:?}"),
            };
            assert_eq!(refused, refusal, "{name}, {mode:?}");
        }
    }
    let began_without = RunRecord { cursor: None, ..record(RunStatus::Publishing) };
    let found = commit(Some(&leased_to_me()), &began_without, tally(), at(11_000));
    assert_eq!(found, Commit::Refused(CursorMoved), "a cursor appeared");
}

#[test]
fn i5_a_run_commits_once() {
    let states = [None, Some(leased_to_me()), Some(state(Some(5_000), None))];
    for state in &states {
        for status in [RunStatus::Completed, RunStatus::Incomplete] {
            let found = commit(state.as_ref(), &record(status), tally(), at(11_000));
            assert_eq!(found, Commit::AlreadyClosed(status));
        }
        let found = commit(state.as_ref(), &record(RunStatus::Failed), tally(), at(11_000));
        assert_eq!(found, Commit::Refused(FailureCode::LeaseLost));
    }
}

#[test]
fn i5_a_failed_run_frees_its_own_lease_and_leaves_the_cursor() {
    let failure = Failure::new(FailureCode::JobFailed, Some("job 1"));
    let cases = [
        ("its own", Some(leased_to_me()), true),
        ("its own, expired", Some(state(Some(5_000), Some(lease(&mine(), 1)))), true),
        ("another's", Some(state(Some(5_000), Some(lease(&key("other", 10_001), 20_000)))), false),
        ("of a run of its name", Some(state(Some(5_000), Some(lease(&key("mine", 1), 20_000)))), false),
        ("free", Some(state(Some(5_000), None)), false),
        ("the item was deleted", None, false),
    ];
    for (name, was, frees) in &cases {
        for status in OPEN {
            let was_record = RunRecord { job_id: Some(job("j1")), revision: 4, ..record(status) };
            let closed = fail(was.as_ref(), &was_record, failure.clone(), at(11_000)).unwrap();
            let expected = RunRecord {
                status: RunStatus::Failed,
                error: Some(failure.clone()),
                ended_at: Some(at(11_000)),
                revision: 5,
                ..was_record
            };
            assert_eq!(closed.record, expected, "{name}");
            let freed = frees.then(|| State {
                last_run: Some(last_run("mine", RunStatus::Failed)),
                ..state(Some(5_000), None)
            });
            assert_eq!(closed.state, freed, "{name}, {status:?}");
        }
        for status in OVER {
            assert_eq!(fail(was.as_ref(), &record(status), failure.clone(), at(11_000)), None, "{name}");
        }
    }
}

#[test]
fn i5_a_run_that_failed_before_it_began_can_begin_no_more() {
    let failure = Failure::new(FailureCode::ExecutionStopped, None);
    let closed = fail(Some(&state(None, None)), &RunRecord::stillborn(mine()), failure, at(10_010)).unwrap();
    assert_eq!(closed.record.revision, 1, "it is written as the first revision");
    assert_eq!(closed.state, None);
    let found =
        begin(None, Some(&closed.record), &mine(), &RunRequest::default(), &datastore(), at(10_020)).unwrap();
    assert_eq!(found, Beginning::Skipped(SkipReason::RunIsOver));
}

#[test]
fn i5_an_operator_commits_past_an_incomplete_run_and_no_other() {
    let incomplete = record(RunStatus::Incomplete);
    let free = Some(state(Some(5_000), None));
    let accepted = Some(Acceptance { at: at(1), reason: String::new() });
    let held = AcceptError::LeaseHeld(RunId("other".to_owned()));
    let mut cases = vec![
        ("incomplete", free.clone(), incomplete.clone(), None),
        (
            "incomplete, and the first",
            Some(state(None, None)),
            RunRecord { cursor: None, ..incomplete.clone() },
            None,
        ),
        (
            "a replay",
            free.clone(),
            RunRecord { mode: Mode::Replay, ..incomplete.clone() },
            Some(AcceptError::Replay),
        ),
        (
            "accepted before",
            free.clone(),
            RunRecord { accepted, ..incomplete.clone() },
            Some(AcceptError::AlreadyAccepted),
        ),
        (
            "another is under way",
            Some(state(Some(5_000), Some(lease(&key("other", 1), 99_000)))),
            incomplete.clone(),
            Some(held.clone()),
        ),
        (
            "another was, and is not cleaned up",
            Some(state(Some(5_000), Some(lease(&key("other", 1), 1)))),
            incomplete.clone(),
            Some(held),
        ),
        (
            "a later run was committed",
            Some(state(Some(20_000), None)),
            incomplete.clone(),
            Some(AcceptError::CursorMoved),
        ),
        ("the cursor was deleted", None, incomplete.clone(), Some(AcceptError::CursorMoved)),
    ];
    for status in OPEN.into_iter().chain(OVER).filter(|status| *status != RunStatus::Incomplete) {
        cases.push((
            "another status",
            free.clone(),
            record(status),
            Some(AcceptError::NotIncomplete(status)),
        ));
    }
    for (name, was, record, refusal) in cases {
        let found = accept(was.as_ref(), &record, "the file is lost".to_owned(), at(12_000));
        let expected = match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(Closed {
                state: Some(State { cursor: Some(at(10_000)), ..was.unwrap_or_default() }),
                record: RunRecord {
                    accepted: Some(Acceptance { at: at(12_000), reason: "the file is lost".to_owned() }),
                    revision: record.revision + 1,
                    ..record
                },
            }),
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_starter_sets_out_once_until_its_job_would_be_listed() {
    let now = at(20_000);
    let settles = SETTLES_AFTER.as_secs();
    let cases = [
        ("nobody set out", None, None, "look and start"),
        ("another set out just now", Some(20_000), None, "look"),
        ("another's clock is ahead", Some(20_030), None, "look"),
        ("another's job may still be missing", Some(20_000 - settles + 1), None, "look"),
        ("another's job would be listed", Some(20_000 - settles), None, "look and start"),
        ("a job is known", Some(20_000), Some("j1"), "follow"),
        ("a job is known for long", Some(1), Some("j1"), "follow"),
    ];
    for (name, intended_at, job_id, expected) in cases {
        for status in OPEN {
            let was = RunRecord {
                intended_at: intended_at.map(at),
                intents: 3,
                job_id: job_id.map(job),
                ..record(status)
            };
            let expected = match expected {
                "look" => SettingOut::LookOnly,
                "follow" => SettingOut::Follow(job("j1")),
                _ => SettingOut::LookAndStart(Box::new(RunRecord {
                    intended_at: Some(now),
                    intents: 4,
                    revision: was.revision + 1,
                    ..was.clone()
                })),
            };
            assert_eq!(set_out(&was, now), expected, "{name}");
        }
        for status in OVER {
            let was = RunRecord { job_id: job_id.map(job), ..record(status) };
            assert_eq!(set_out(&was, now), SettingOut::Stop, "{name}");
        }
    }
}

fn listed(id: &str, submitted_at: Option<i64>, phase: Phase) -> ListedJob {
    ListedJob { id: job(id), submitted_at: submitted_at.map(at), phase }
}

#[test]
fn the_first_job_of_a_run_is_followed_and_the_others_are_cancelled() {
    let running = |id, submitted_at| listed(id, submitted_at, Phase::Running);
    let cases = [
        (vec![], None),
        (vec![running("a", Some(2))], Some("a")),
        (vec![running("a", Some(2)), running("b", Some(1))], Some("b")),
        (vec![running("a", None), running("b", Some(9))], Some("b")),
        (vec![running("b", Some(1)), running("a", Some(1))], Some("a")),
        (vec![running("b", None), running("a", None)], Some("a")),
        // One that has ended is followed too: the poller finds out how.
        (vec![running("a", Some(2)), listed("b", Some(1), Phase::Failed)], Some("b")),
    ];
    for (jobs, followed) in cases {
        assert_eq!(job_to_follow(&jobs).map(|job| job.id.0.as_str()), followed, "{jobs:?}");
    }
    let jobs = [
        listed("waiting", Some(1), Phase::Waiting),
        listed("running", Some(2), Phase::Running),
        listed("followed", Some(3), Phase::Running),
        listed("done", Some(4), Phase::Done { has_errors: false }),
        listed("in part", Some(5), Phase::Done { has_errors: true }),
        listed("failed", Some(6), Phase::Failed),
        listed("cancelled", Some(7), Phase::Cancelled),
    ];
    let cancelled = |followed: Option<&JobId>| -> Vec<String> {
        jobs_to_cancel(&jobs, followed).map(|job| job.0.clone()).collect()
    };
    assert_eq!(cancelled(Some(&job("followed"))), ["waiting", "running"]);
    assert_eq!(cancelled(Some(&job("done"))), ["waiting", "running", "followed"]);
    assert_eq!(cancelled(None), ["waiting", "running", "followed"]);
}

#[test]
fn i5_a_run_follows_one_job() {
    let with_job = |status, id: Option<&str>| RunRecord { job_id: id.map(job), ..record(status) };
    let starting = with_job(RunStatus::Starting, None);
    let following = starting.revised(|record| {
        record.job_id = Some(job("j1"));
        record.status = RunStatus::Exporting;
    });
    let cases = [
        ("the first", starting, Some(following)),
        (
            "the same again",
            with_job(RunStatus::Exporting, Some("j1")),
            Some(with_job(RunStatus::Exporting, Some("j1"))),
        ),
        (
            "the same, which is done",
            with_job(RunStatus::Publishing, Some("j1")),
            Some(with_job(RunStatus::Publishing, Some("j1"))),
        ),
        ("a second", with_job(RunStatus::Exporting, Some("j2")), None),
        ("of a run that is over", with_job(RunStatus::Failed, None), None),
        ("the same, of a run that is over", with_job(RunStatus::Completed, Some("j1")), None),
    ];
    for (name, record, expected) in cases {
        assert_eq!(follow(&record, &job("j1")), expected, "{name}");
    }
}

#[test]
fn i5_one_message_takes_each_number_of_the_chain() {
    enum Expected {
        Take,
        TakeAgain,
        Superseded,
    }
    use Expected::{Superseded, Take, TakeAgain};
    let cases = [
        ("the first", None, 0, "m1", Take),
        ("a later one, where the first was lost", None, 4, "m1", Take),
        ("the next", Some(3), 4, "m2", Take),
        ("one further on", Some(3), 9, "m2", Take),
        ("delivered again", Some(3), 3, "m1", TakeAgain),
        ("of a second chain", Some(3), 3, "m2", Superseded),
        ("an earlier one, delivered again", Some(3), 2, "m1", Superseded),
        ("an earlier one of a second chain", Some(3), 0, "m2", Superseded),
    ];
    for (name, taken, number, message_id, expected) in cases {
        for status in OPEN {
            let chain = Chain { taken, by_message: taken.map(|_| "m1".to_owned()) };
            let was = RunRecord { chain, ..record(status) };
            let expected = match &expected {
                Take => Turn::Take(Box::new(was.revised(|record| {
                    record.chain = Chain { taken: Some(number), by_message: Some(message_id.to_owned()) };
                }))),
                TakeAgain => Turn::TakeAgain,
                Superseded => Turn::Superseded,
            };
            assert_eq!(take_turn(&was, number, message_id), expected, "{name}, {status:?}");
        }
        for status in OVER {
            assert_eq!(take_turn(&record(status), number, message_id), Turn::Over, "{name}, {status:?}");
        }
    }
}

#[test]
fn a_job_is_seen_to_run_once() {
    let now = at(10_500);
    let was = record(RunStatus::Exporting);
    let first = seen(&was, Phase::Running, now).unwrap();
    assert_eq!(first, was.revised(|record| record.running_since = Some(now)));
    assert_eq!(seen(&first, Phase::Running, at(10_600)), None);
    for phase in [Phase::Waiting, Phase::Done { has_errors: false }, Phase::Failed, Phase::Cancelled] {
        assert_eq!(seen(&was, phase, now), None, "{phase:?}");
    }
}

#[test]
fn i2_what_the_bus_learns_of_a_run_has_one_id_per_event() {
    let datastores = [DatastoreId("d1".to_owned()), DatastoreId("d2".to_owned())];
    let ended = |status, shortfall, error: Option<FailureCode>| RunRecord {
        shortfall,
        error: error.map(|code| Failure::new(code, None)),
        ended_at: Some(at(10_090)),
        tally: Some(tally()),
        ..record(status)
    };
    let shortfall = Some(Shortfall { has_job_errors: true, missing_files: 0 });
    let records = [
        (ended(RunStatus::Completed, None, None), "ExportRunCompleted"),
        (ended(RunStatus::Incomplete, shortfall, None), "ExportRunIncomplete"),
        (ended(RunStatus::Failed, None, Some(FailureCode::JobFailed)), "ExportRunFailed"),
        (ended(RunStatus::Failed, shortfall, Some(FailureCode::BusRefused)), "ExportRunFailed"),
    ];
    let meta = |announcement: &Announcement| serde_json::to_value(announcement).unwrap()["meta"].clone();
    for (record, detail_type) in &records {
        let [one, other] = datastores.each_ref().map(|it| Announcement::ended(it, record).unwrap());
        assert_eq!((one.detail_type(), other.detail_type()), (*detail_type, *detail_type));
        assert_eq!(Announcement::ended(&datastores[0], record).as_ref(), Some(&one), "a repeat differs");
        assert_ne!(meta(&one)["id"], meta(&other)["id"]);
        let [started, skipped] = [
            Announcement::started(&datastores[0], record, Vec::new()),
            Announcement::skipped(&datastores[0], &record.key, &SkipReason::RunIsOver),
        ];
        assert_ne!(meta(&one)["id"], meta(&started)["id"]);
        assert_ne!(meta(&started)["id"], meta(&skipped)["id"]);
        let json = serde_json::to_value(&one).unwrap();
        assert_eq!((&json["meta"]["correlationId"], &json["seconds"]), (&"mine".into(), &90.into()));
    }
    assert_eq!(Announcement::ended(&datastores[0], &record(RunStatus::Publishing)), None);
}

#[test]
fn names_of_a_run_are_in_its_order_and_short_enough() {
    let long = "x".repeat(80);
    let names = ["d1", "d2"].map(|id| key(&long, 1).job_name(&DatastoreId(id.to_owned())));
    assert!(names[0] != names[1] && names.iter().all(|name| name.len() <= 64));
    assert_ne!(names[0], key("another", 1).job_name(&DatastoreId("d1".to_owned())));
    let millisecond = |number| RunKey {
        started_at: at(10_000).checked_add(SignedDuration::from_millis(number)).unwrap(),
        id: RunId("r".to_owned()),
    };
    let sort_keys: Vec<String> = [0, 1, 10, 100, 999, 1_000].map(|it| millisecond(it).sort_key()).into();
    assert_eq!(sort_keys[1], "RUN#1970-01-01T02:46:40.001Z#r");
    assert!(sort_keys.is_sorted(), "{sort_keys:?}");
}
