//! Conditional writes against a table that holds to its conditions.

mod loopback_aws;

use domain::export::lease::State;
use domain::export::run::RunStatus;
use export_runs::{RenewError, RunsError, Swap};
use jiff::SignedDuration;
use loopback_aws::{Aws, Reply, datastore, run, state_of, time};

#[tokio::test]
async fn what_is_written_is_read_again() {
    let aws = Aws::start().await;
    let run = run("r1");
    assert_eq!(aws.stored_state().await, None);
    aws.lease_to(&run, |record| record.ranges = 12).await;
    assert_eq!(aws.stored_state().await, Some(state_of(&run)));
    assert_eq!(aws.stored_record(&run).await.ranges, 12);
    let keys: Vec<(String, String)> = aws.world().table.items.keys().cloned().collect();
    let keys: Vec<(&str, &str)> = keys.iter().map(|(pk, sk)| (pk.as_str(), sk.as_str())).collect();
    assert_eq!(keys, [("DATASTORE#d1", "RUN#2026-11-22T08:00:00.000Z#r1"), ("DATASTORE#d1", "STATE")]);
}

#[tokio::test]
async fn the_latest_run_comes_first() {
    let aws = Aws::start().await;
    for (id, minutes) in [("b", 0), ("a", 10), ("c", 5)] {
        let mut run = run(id);
        run.key.started_at += SignedDuration::from_mins(minutes);
        let record = domain::export::run::RunRecord::begun(run.key.clone(), run.mode, run.window, None);
        assert_eq!(aws.runs().write_record(&run.datastore.id, &record).await.unwrap(), Swap::Written);
    }
    let latest = aws.runs().latest(&datastore().id, 2).await.unwrap();
    let ids: Vec<String> = latest.into_iter().map(|record| record.key.id.0).collect();
    assert_eq!(ids, ["a", "c"]);
}

#[tokio::test]
async fn i5_a_state_that_was_changed_meanwhile_is_not_overwritten() {
    let run = run("r1");
    let read = state_of(&run);
    let with_lease = |change: fn(&mut domain::export::lease::Lease)| {
        let mut state = state_of(&crate::run("r1"));
        state.lease.as_mut().into_iter().for_each(change);
        state
    };
    let changed = [
        ("the cursor moved", State { cursor: Some(time("2026-11-22T07:30:00Z")), ..read.clone() }),
        ("the cursor was deleted", State { cursor: None, ..read.clone() }),
        ("the lease was freed", State { lease: None, ..read.clone() }),
        ("another took the lease", with_lease(|lease| lease.run_id.0 = "r2".to_owned())),
        ("the lease was renewed", with_lease(|lease| lease.expires_at += SignedDuration::from_secs(1))),
    ];
    for (name, changed) in changed {
        let aws = Aws::start().await;
        aws.lease_to(&run, |_| ()).await;
        let (runs, datastore) = (aws.runs(), &run.datastore.id);
        let mine = State { lease: None, ..read.clone() };
        let by_other = runs.write_state(datastore, Some(&read), &changed).await.unwrap();
        assert_eq!(by_other, Swap::Written);
        let record = aws.stored_record(&run).await.revised(|record| record.status = RunStatus::Completed);
        let swap = runs.write_both(datastore, Some(&read), &mine, &record).await.unwrap();
        assert_eq!(swap, Swap::Overtaken, "{name}");
        assert_eq!(runs.write_state(datastore, Some(&read), &mine).await.unwrap(), Swap::Overtaken, "{name}");
        assert_eq!(runs.write_state(datastore, None, &mine).await.unwrap(), Swap::Overtaken, "{name}");
        assert_eq!(aws.stored_state().await, Some(changed), "{name}");
        assert_eq!(
            aws.stored_record(&run).await.status,
            RunStatus::Starting,
            "{name}: half of it was written"
        );
    }
}

#[tokio::test]
async fn i5_a_state_that_was_deleted_is_not_made_again() {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, |_| ()).await;
    let read = aws.stored_state().await.unwrap();
    aws.world().table.items.clear();
    for was in [read.clone(), State { cursor: None, lease: None, last_run: None }] {
        let swap = aws.runs().write_state(&run.datastore.id, Some(&was), &read).await.unwrap();
        assert_eq!(swap, Swap::Overtaken);
    }
    assert!(matches!(aws.runs().renew_lease(&run, run.key.started_at).await, Err(RenewError::Lost(_))));
}

#[tokio::test]
async fn a_record_is_written_revision_by_revision() {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, |_| ()).await;
    let (runs, datastore) = (aws.runs(), &run.datastore.id);
    let first = aws.stored_record(&run).await;
    let next = first.revised(|record| record.intents = 1);
    assert_eq!(runs.write_record(datastore, &first).await.unwrap(), Swap::Overtaken, "made twice");
    assert_eq!(runs.write_record(datastore, &next).await.unwrap(), Swap::Written);
    let late = first.revised(|record| record.intents = 9);
    assert_eq!(runs.write_record(datastore, &late).await.unwrap(), Swap::Overtaken);
    assert_eq!(aws.stored_record(&run).await, next);
}

#[tokio::test]
async fn a_lease_is_renewed_when_half_of_it_is_gone() {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, |_| ()).await;
    aws.runs().renew_lease(&run, time("2026-11-22T08:10:00Z")).await.unwrap();
    assert!(aws.calls("dynamodb:PutItem").is_empty(), "written though it is fresh");
    aws.runs().renew_lease(&run, time("2026-11-22T08:15:00Z")).await.unwrap();
    let state = aws.stored_state().await.unwrap();
    assert_eq!(state.lease.unwrap().expires_at, time("2026-11-22T08:30:00Z"));
    assert_eq!(state.cursor, state_of(&run).cursor);
    aws.lease_lost(&run).await;
    let renewed = aws.runs().renew_lease(&run, time("2026-11-22T08:25:00Z")).await;
    assert!(matches!(renewed, Err(RenewError::Lost(_))), "{renewed:?}");
}

#[tokio::test]
async fn who_is_overtaken_decides_again_and_not_for_ever() {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, |_| ()).await;
    let mut overtaken = 0;
    aws.fault(move |call, _| {
        overtaken += 1;
        let refusal = || Reply::error(400, "ConditionalCheckFailedException");
        (call.is("dynamodb:PutItem") && overtaken < 6).then(refusal)
    });
    aws.runs().renew_lease(&run, time("2026-11-22T08:15:00Z")).await.unwrap();
    assert!(aws.calls("dynamodb:PutItem").len() > 1);
    aws.mend();
    aws.fault(|call, _| {
        call.is("dynamodb:PutItem").then(|| Reply::error(400, "ConditionalCheckFailedException"))
    });
    let renewed = aws.runs().renew_lease(&run, time("2026-11-22T08:29:00Z")).await;
    assert!(matches!(renewed, Err(RenewError::Runs(RunsError::Contended))), "{renewed:?}");
}

#[tokio::test]
async fn i6_a_failure_tells_the_call_and_its_code_alone() {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, |_| ()).await;
    aws.break_down("dynamodb:GetItem");
    let error = aws.runs().record(&run.datastore.id, &run.key).await.unwrap_err();
    assert_eq!(error.to_string(), "dynamodb:GetItem failed: InternalServerError");
    aws.mend();
    for item in aws.world().table.items.values_mut() {
        item.insert("window".to_owned(), serde_json::json!({"S": "Ngozi"}));
        item.insert("cursor".to_owned(), serde_json::json!({"S": "Ngozi"}));
    }
    let error = aws.runs().record(&run.datastore.id, &run.key).await.unwrap_err();
    let sort_key = "RUN#2026-11-22T08:00:00.000Z#r1";
    assert_eq!(error.to_string(), format!("the item {sort_key} of the table of runs cannot be read"));
    let error = aws.runs().state(&run.datastore.id).await.unwrap_err();
    assert_eq!(error.to_string(), "the item STATE of the table of runs cannot be read");
}
