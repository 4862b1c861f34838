//! A compactor that dies at any request, or that is not alone, loses nothing and shows nothing twice for long.

mod loopback_lake;

use domain::lake::Row;
use jiff::SignedDuration;
use loopback_lake::{KEEP, Lake, Reader, change, remove, snapshot};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What comes after what was compacted: updates, a move to another partition, removals, repeats in batches that are cut
/// anew, a late record, snapshots of one time that differ, one of a key that was removed.
fn later_batches() -> Vec<Vec<Row>> {
    vec![
        vec![change("A", "a/b é", 20), change("B", "a/b é", 21)],
        vec![change("B", "a/b é", 21), remove("C", "a/b é", 22)],
        vec![change("D", "other", 23), change("C", "a/b é", 5)],
        vec![
            snapshot("A", "a/b é", 3, "first"),
            snapshot("A", "a/b é", 3, "second"),
            snapshot("C", "a/b é", 4, "C"),
        ],
        vec![remove("E", "other", 24), remove("F", "a/b é", 25)],
    ]
}

/// A lake with compacted files, one short of a merge in each directory, and raw files that wait.
async fn prepared() -> Lake {
    let lake = Lake::start().await;
    for batch in [
        vec![
            change("A", "a/b é", 1),
            change("B", "a/b é", 2),
            change("C", "a/b é", 6),
            change("E", "other", 7),
        ],
        vec![
            change("A", "a/b é", 8),
            change("D", "a/b é", 9),
            change("F", "a/b é", 10),
            change("E", "other", 11),
        ],
    ] {
        lake.world().write(&batch);
        lake.pass(HOUR);
        let (plan, failures) = lake.round(&lake.compactor()).await;
        assert_eq!((plan.directories, plan.partitions, failures), (2, 2, 0));
    }
    for batch in later_batches() {
        lake.world().write(&batch);
    }
    // The first batch, delivered again: its file is written over the one that was replaced.
    lake.world().write(&[change("A", "a/b é", 1), change("B", "a/b é", 2), change("C", "a/b é", 6)]);
    lake.pass(HOUR);
    lake
}

/// Rounds until nothing is left to do; a day between them, so that what was replaced goes.
async fn finish(lake: &Lake) {
    for round in 0.. {
        let (plan, failures) = lake.round(&lake.compactor()).await;
        assert_eq!(failures, 0);
        // In the first round, what was replaced may still have to stay.
        if plan.directories == 0 && round > 0 {
            break;
        }
        assert!(round < 8, "it goes on for ever");
        lake.pass(KEEP + HOUR);
    }
    let mut world = lake.world();
    world.look();
    assert_eq!(world.reader.violations, Vec::<String>::new());
    assert_eq!(world.keys("raw/"), Vec::<String>::new(), "raw files are left");
    assert_eq!(world.keys("commits/"), Vec::<String>::new(), "commits are left");
    let copies = world.reader.copies(&world.objects, &["compact/"]);
    assert!(copies.iter().all(|copies| *copies >= 1), "{copies:?}");
    assert_eq!(Reader::shown(&world.objects), ["A 20", "B 21", "D 23"]);
    assert_eq!(world.partitions.len(), 2);
}

/// Kills a process at each request of a round, which comes after what `before` lists: rounds, and the time until the next.
async fn die_at_each_request(before: &[SignedDuration]) -> usize {
    let prepared = prepared().await;
    for time in before {
        let (_, failures) = prepared.round(&prepared.compactor()).await;
        assert_eq!(failures, 0);
        prepared.pass(*time);
    }
    let mut requests = 0;
    loop {
        let lake = prepared.copy().await;
        let died = lake.round_killed_after(requests).await;
        finish(&lake).await;
        if !died {
            return requests;
        }
        requests += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_a_compactor_that_dies_while_it_compacts_loses_nothing() {
    let requests = die_at_each_request(&[]).await;
    assert!(requests > 60, "{requests}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_a_compactor_that_dies_while_it_merges_the_current_state_loses_nothing() {
    let requests = die_at_each_request(&[HOUR]).await;
    assert!(requests > 20, "{requests}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_a_compactor_that_dies_while_it_deletes_loses_nothing() {
    let requests = die_at_each_request(&[HOUR, KEEP + HOUR]).await;
    assert!(requests > 40, "{requests}");
}

/// Two compactors with the same messages, in any order of their requests, while days pass between some of them.
#[test]
fn i1_compactors_that_are_not_alone_lose_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(24) };
    let prepared = runtime.block_on(prepared());
    let together = |seed| {
        runtime.block_on(async {
            let lake = prepared.copy().await;
            let turns = lake.take_turns(seed);
            let (one, other) = (lake.compactor(), lake.compactor());
            for _ in 0..2 {
                tokio::join!(lake.round(&one), lake.round(&other));
            }
            lake.end_turns();
            turns.await.unwrap();
            lake.world().messages.clear();
            finish(&lake).await;
        });
        Ok(())
    };
    TestRunner::new(config).run(&any::<u64>(), together).unwrap();
}
