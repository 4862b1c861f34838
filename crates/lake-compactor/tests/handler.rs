//! Plans and compactions, one at a time.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod loopback_lake;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::lake::commit::Commit;
use domain::lake::object_key::Compression;
use domain::lake::{LakeConfig, Row};
use jiff::SignedDuration;
use lake_compactor::{Answer, Event, State, handle};
use loopback_lake::{Call, KEEP, Lake, Reader, Reply, World, ask, change, compact, config, remove};
use metrique::test_util::{TestEntrySink, test_entry_sink};
use serde_json::{Value, json};
use tokio::time::Instant;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const SITE_A: &str = r#"{"directory": "compact/items/site=a"}"#;

async fn lake_with(rows: &[Row]) -> Lake {
    let lake = Lake::start().await;
    lake.world().write(rows);
    lake.pass(HOUR);
    lake
}

fn observed(compactor: &mut State) -> metrique::writer::test_util::Inspector {
    let TestEntrySink { inspector, sink } = test_entry_sink();
    compactor.metrics = sink;
    inspector
}

fn commits(world: &World, folder: &str) -> Vec<Commit> {
    let keys = world.keys(folder);
    keys.iter().map(|key| serde_json::from_slice(&world.objects[key].body).unwrap()).collect()
}

fn without_violations(lake: &Lake) {
    assert_eq!(lake.world().reader.violations, Vec::<String>::new());
}

async fn plan(compactor: &State, request: Value) -> Value {
    let answer = ask(compactor, json!({"plan": request})).await;
    serde_json::to_value(&answer).unwrap()
}

#[tokio::test]
async fn a_commit_says_what_was_done() {
    let lake = lake_with(&[change("A", "a", 1), change("A", "a", 2), change("B", "a", 3)]).await;
    lake.world().write(&[change("A", "a", 2)]);
    lake.pass(HOUR);
    let mut compactor = lake.compactor();
    let metrics = observed(&mut compactor);
    assert!(compact(&compactor, SITE_A).await);

    let world = lake.world();
    let [commit] = &commits(&world, "commits/compact/items/site=a/")[..] else { panic!("not one commit") };
    assert_eq!((commit.rows, commit.repeats, commit.misfits), (3, 1, 1));
    assert_eq!(commit.replaced, world.keys("raw/"));
    assert_eq!((commit.covers_until, commit.committed_at), (world.now, world.now));
    let mut written = commit.written.clone();
    written.sort();
    assert_eq!(written, [world.keys("compact/"), world.keys("latest/")].concat());
    assert_eq!(world.keys("compact/items/site=a/").len(), 1);
    assert_eq!(
        world.partitions,
        BTreeMap::from([(vec!["a".to_owned()], "s3://lake-bucket/compact/items/site=a/".to_owned())])
    );
    let metrics = &metrics.entries()[0].metrics;
    for (name, value) in [
        ("RowsRead", 4),
        ("RowsWritten", 3),
        ("Repeats", 1),
        ("Misfits", 1),
        ("FilesReplaced", 2),
        ("Unreadable", 0),
        ("Failed", 0),
    ] {
        assert_eq!(metrics[name], value, "{name}");
    }
}

#[tokio::test]
async fn i3_a_file_that_cannot_be_read_stays_and_stops_no_other() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    let whole = {
        let mut world = lake.world();
        let [key] = &world.keys("raw/")[..] else { panic!("not one file") };
        let whole = world.objects[key].body.clone();
        let gzip = world.write_as(&[change("B", "a", 2)], Compression::Gzip, &config());
        assert!(gzip[0].ends_with(".json.gz"));
        let line = zstd::decode_all(&whole[..]).unwrap();
        let lines = [&line[..], b"{\"_op\":\"MODIFY\"}\n"].concat();
        for (name, body) in [
            ("cut.json.zst", whole[..whole.len() - 5].to_vec()),
            ("empty.json.zst", Vec::new()),
            ("line.json.zst", zstd::encode_all(&lines[..], 3).unwrap()),
            ("text.json.zst", b"Ngozi".to_vec()),
            ("name.csv", whole.to_vec()),
        ] {
            world.put(&format!("raw/items/site=a/unreadable-{name}"), body);
        }
        whole
    };
    lake.pass(HOUR);
    let mut compactor = lake.compactor();
    let metrics = observed(&mut compactor);
    assert!(compact(&compactor, SITE_A).await);
    assert_eq!(metrics.entries()[0].metrics["Unreadable"], 5);
    assert_eq!(metrics.entries()[0].metrics["RowsWritten"], 2);
    {
        let world = lake.world();
        let [commit] = &commits(&world, "commits/compact/")[..] else { panic!("not one commit") };
        assert_eq!(commit.replaced.len(), 2);
        assert!(commit.replaced.iter().all(|key| !key.contains("unreadable")));
    }
    // They are found again by every plan, also when what was compacted is gone.
    for time in [HOUR, KEEP + HOUR, HOUR] {
        lake.pass(time);
        let (plan, failures) = lake.round(&compactor).await;
        assert_eq!((plan.directories > 0, plan.files >= 5, failures), (true, true, 0), "{plan:?}");
    }
    assert_eq!(lake.world().keys("raw/").len(), 5);
    // Mended, they are compacted.
    lake.world().put("raw/items/site=a/unreadable-cut.json.zst", whole);
    lake.pass(HOUR);
    lake.round(&compactor).await;
    assert_eq!(commits(&lake.world(), "commits/compact/").last().unwrap().replaced.len(), 1);
    without_violations(&lake);
}

#[tokio::test]
async fn i7_rows_beyond_the_memory_are_put_aside_and_files_are_bounded() {
    let rows: Vec<Row> =
        (1..=100).map(|number| change(&format!("P{:02}", number * 37 % 50), "a", number)).collect();
    let lake = Lake::start().await;
    for batch in rows.chunks(9).chain([&rows[40..60]]) {
        lake.world().write(batch);
    }
    lake.pass(HOUR);
    let mut compactor = lake.compactor();
    compactor.memory_bytes = 30_000;
    assert!(compact(&compactor, SITE_A).await);
    {
        let world = lake.world();
        let [commit] = &commits(&world, "commits/compact/")[..] else { panic!("not one commit") };
        assert_eq!((commit.rows, commit.repeats), (100, 20));
        assert!(world.keys("compact/").len() > 1, "{:?}", world.keys("compact/"));
        assert!(world.reader.copies(&world.objects, &["compact/"]).iter().all(|copies| *copies == 1));
        assert_eq!(Reader::shown(&world.objects).len(), 50);
    }
    without_violations(&lake);

    // The same in memory makes the same rows in the same order.
    let other = Lake::start().await;
    for batch in rows.chunks(9).chain([&rows[40..60]]) {
        other.world().write(batch);
    }
    other.pass(HOUR);
    assert!(compact(&other.compactor(), SITE_A).await);
    assert_eq!(other.world().keys("compact/"), lake.world().keys("compact/"));
}

#[tokio::test]
async fn a_directory_of_the_current_state_keeps_one_row_of_each_key_and_every_removal() {
    let lake = Lake::start().await;
    let compactor = lake.compactor();
    for batch in 0..4 {
        let rows: Vec<Row> = (0..10)
            .map(|key| {
                let number = 1 + batch * 10 + key;
                let key = format!("P{key}");
                if batch == 3 && number % 2 == 0 {
                    remove(&key, "a", number)
                } else {
                    change(&key, "a", number)
                }
            })
            .collect();
        lake.world().write(&rows);
        lake.pass(HOUR);
        assert_eq!(lake.round(&compactor).await.1, 0);
    }
    for _ in 0..3 {
        lake.pass(KEEP + HOUR);
        assert_eq!(lake.round(&compactor).await.1, 0);
    }
    let world = lake.world();
    assert_eq!(world.keys("raw/").len() + world.keys("commits/").len(), 0);
    let copies = world.reader.copies(&world.objects, &["latest/"]);
    assert_eq!(copies.len(), 40);
    // The last merge was of three runs; the fourth waits for two more.
    assert!(copies.iter().sum::<usize>() <= 20, "{copies:?}");
    assert!(copies[30..].iter().all(|copies| *copies == 1), "{copies:?}");
    assert_eq!(Reader::shown(&world.objects).len(), 5);
    drop(world);
    without_violations(&lake);
}

#[tokio::test]
async fn where_the_time_is_up_nothing_is_committed_and_the_message_comes_again() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    let message = json!({"messageId": "m1", "body": SITE_A});
    let event: Event = serde_json::from_value(json!({"Records": [message]})).unwrap();
    let Answer::Directories(answer) = handle(&lake.compactor(), event, Instant::now()).await.unwrap() else {
        panic!("no answer of a compaction")
    };
    assert_eq!(answer.batch_item_failures.len(), 1);
    assert_eq!(lake.world().keys("commits/").len(), 0);
    without_violations(&lake);
}

#[tokio::test]
async fn a_message_about_no_directory_of_this_lake_fails() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    for body in ["", "{}", r#"{"directory": "compact/items/ward=1"}"#, r#"{"directory": "raw/items/site=a"}"#]
    {
        assert!(!compact(&lake.compactor(), body).await, "{body}");
    }
    assert_eq!(lake.world().calls.len(), 0);
}

#[tokio::test]
async fn what_is_not_due_is_left_alone_unless_everything_is_asked_for() {
    let lake = Lake::start().await;
    lake.world().write(&[change("A", "a", 1), change("B", "b", 2)]);
    lake.pass(SignedDuration::from_mins(14));
    let compactor = lake.compactor();
    let nothing = json!({
        "directories": 0, "partitions": 2, "files": 2, "bytes": plan(&compactor, json!({})).await["bytes"],
        "oldestSeconds": 840, "unknownFolders": 0, "unreadDirectories": 0, "largestLatestBytes": 0, "notSent": 0,
    });
    assert_eq!(plan(&compactor, json!({})).await, nothing);
    // An old message, of a plan that saw other files.
    assert!(compact(&compactor, SITE_A).await);
    assert_eq!(lake.world().keys("commits/").len(), 0);

    assert_eq!(plan(&compactor, json!({"settleSeconds": 0})).await["directories"], 2);
    let messages = lake.world().messages.clone();
    assert_eq!(
        serde_json::from_str::<Value>(&messages[0]).unwrap(),
        json!({"directory": "compact/items/site=a", "settleSeconds": 0})
    );
    assert_eq!(lake.work(&compactor).await, 0);
    assert_eq!(lake.world().keys("commits/").len(), 2);
    // Files so near to the commit that its key does not tell: the plan reads it.
    lake.pass(SignedDuration::from_mins(20));
    let after = plan(&compactor, json!({})).await;
    assert_eq!((&after["directories"], &after["files"]), (&json!(0), &json!(0)));
    without_violations(&lake);
}

#[tokio::test]
async fn a_folder_that_is_no_partition_as_it_is_declared_is_told() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    let finer = LakeConfig::parse(
        r#"{"table": "items", "partition": {"attributes": ["site"], "time": {"from": "change", "unit": "year"}}}"#,
    )
    .unwrap();
    lake.world().write_as(&[change("B", "a", 2)], Compression::Zstd, &finer);
    lake.pass(HOUR);
    let compactor = lake.compactor();
    let (plan, failures) = lake.round(&compactor).await;
    assert_eq!((plan.directories, plan.unknown_folders, plan.files, failures), (1, 1, 1, 0));
    assert_eq!(lake.world().keys("raw/items/site=a/year=").len(), 1);
    assert_eq!(commits(&lake.world(), "commits/")[0].replaced.len(), 1);
    without_violations(&lake);
}

#[tokio::test]
async fn folders_that_a_console_stored_are_no_files() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    for folder in ["raw/items/", "raw/items/site=a/", "raw/items/site=b/", "commits/latest/items/bucket=00/"]
    {
        lake.world().put(folder, "");
    }
    lake.pass(HOUR);
    let compactor = lake.compactor();
    let (plan, failures) = lake.round(&compactor).await;
    assert_eq!((plan.partitions, plan.files, plan.unknown_folders, failures), (1, 1, 0, 0));
    let (plan, failures) = lake.round(&compactor).await;
    assert_eq!((plan.directories, plan.files, plan.unread_directories, failures), (0, 0, 0, 0));
    without_violations(&lake);
}

#[tokio::test]
async fn i3_a_commit_that_cannot_be_read_stops_no_other_folder() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    let compactor = lake.compactor();
    lake.round(&compactor).await;
    let commit = {
        let mut world = lake.world();
        let [key] = &world.keys("commits/compact/")[..] else { panic!("not one commit") };
        let commit = world.objects[key].body.clone();
        world.put(key, "Ngozi");
        world.write(&[change("B", "a", 2), change("C", "b", 3)]);
        (key.clone(), commit)
    };
    lake.pass(SignedDuration::from_mins(20));
    let (plan, failures) = lake.round(&compactor).await;
    assert_eq!((plan.directories, plan.unread_directories, failures), (2, 1, 1));
    assert_eq!(lake.world().keys("compact/items/site=b/").len(), 1);
    lake.world().put(&commit.0, commit.1);
    assert_eq!(lake.round(&compactor).await.1, 0);
    assert_eq!(lake.world().keys("commits/compact/items/site=a/").len(), 2);
    without_violations(&lake);
}

#[tokio::test]
async fn a_folder_that_never_rests_is_compacted_as_it_was_when_it_was_due() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    let mut number = 1;
    lake.fault(move |call: &Call, world: &mut World| {
        if call.is("PutObject") && call.key().starts_with("commits/") && number < 20 {
            number += 1;
            world.now += SignedDuration::from_secs(1);
            world.write(&[change("A", "a", number)]);
        }
        None
    });
    assert!(compact(&lake.compactor(), r#"{"directory": "compact/items/site=a", "settleSeconds": 0}"#).await);
    assert_eq!(lake.world().keys("commits/compact/").len(), 1);
    lake.mend();
    without_violations(&lake);
}

#[tokio::test]
async fn another_number_of_buckets_is_filled_by_merges() {
    let lake = Lake::start().await;
    let mut compactor = lake.compactor();
    let mut number = 0;
    for buckets in [2, 5, 1, 3] {
        compactor.latest_buckets = buckets;
        for _ in 0..4 {
            let rows: Vec<Row> = (0..7).map(|key| change(&format!("P{key}"), "a", number + key)).collect();
            number += 7;
            lake.world().write(&rows);
            lake.pass(HOUR);
            assert_eq!(lake.round(&compactor).await.1, 0);
        }
    }
    for _ in 0..3 {
        lake.pass(KEEP + HOUR);
        assert_eq!(lake.round(&compactor).await.1, 0);
    }
    let (plan, _) = lake.round(&compactor).await;
    {
        let world = lake.world();
        let bytes = |bucket: u32| -> u64 {
            let keys = world.keys(&format!("latest/items/bucket={bucket:02}/"));
            keys.iter().map(|key| world.objects[key].body.len() as u64).sum()
        };
        assert!((0..3).all(|bucket| bytes(bucket) > 0), "not all buckets are filled");
        assert_eq!(Some(plan.largest_latest_bytes), (0..5).map(bytes).max());
        assert_eq!(Reader::shown(&world.objects).len(), 7);
    }
    without_violations(&lake);
}

#[tokio::test]
async fn a_misfit_is_counted_once_however_often_its_row_is_merged() {
    let lake = Lake::start().await;
    let mut compactor = lake.compactor();
    let metrics = observed(&mut compactor);
    for number in 1..=6 {
        lake.world().write(&[change("A", "a", number)]);
        lake.pass(HOUR);
        assert_eq!(lake.round(&compactor).await.1, 0);
    }
    let sum = |name: &str| -> u64 {
        metrics.entries().iter().filter_map(|entry| Some(entry.metrics.get(name)?.as_u64())).sum()
    };
    let of_commits =
        commits(&lake.world(), "commits/compact/").iter().map(|commit| commit.misfits).sum::<u64>();
    assert_eq!(sum("Misfits"), 2);
    assert!(of_commits > 2 && sum("RowsRead") > 6, "nothing was merged");
    without_violations(&lake);
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_sent_again_and_then_told() {
    let lake = Lake::start().await;
    for site in 0..12 {
        lake.world().write(&[change("A", &format!("s{site:02}"), site + 1)]);
    }
    lake.pass(HOUR);
    let mut refused = 0;
    lake.fault(move |call: &Call, _| {
        let is_refused = call.is("AmazonSQS.SendMessageBatch") && refused < 4;
        refused += usize::from(is_refused);
        let request: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let last = request["Entries"].as_array().and_then(|entries| entries.last()).map(|entry| &entry["Id"]);
        let failed = json!([{"Id": last, "SenderFault": false, "Code": "InternalError"}]);
        let body = json!({"Successful": [], "Failed": failed});
        is_refused.then(|| Reply::of(200, body.to_string()))
    });
    let answer = plan(&lake.compactor(), json!({})).await;
    // Of the first ten, one failed three times; of the last two, one failed once.
    assert_eq!((&answer["directories"], &answer["notSent"]), (&json!(11), &json!(1)));
    lake.mend();
}

#[tokio::test]
async fn i1_a_commit_stays_while_one_of_its_files_is_not_deleted() {
    let lake = lake_with(&[change("A", "a", 1), change("B", "a", 2)]).await;
    let compactor = lake.compactor();
    lake.round(&compactor).await;
    lake.pass(KEEP + HOUR);
    lake.fault(|call: &Call, _| {
        let error = "<DeleteResult><Error><Key>k</Key><Code>InternalError</Code></Error></DeleteResult>";
        call.is("DeleteObjects").then(|| Reply::of(200, error))
    });
    assert_eq!(lake.round(&compactor).await.1, 1);
    assert_eq!(lake.world().keys("commits/").len(), 1);
    lake.mend();
    assert_eq!(lake.round(&compactor).await.1, 0);
    let world = lake.world();
    assert_eq!([world.keys("commits/"), world.keys("raw/")].concat(), Vec::<String>::new());
    drop(world);
    without_violations(&lake);
}

#[tokio::test]
async fn a_partition_that_cannot_be_registered_is_not_committed() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    lake.fault(|call: &Call, _| {
        call.is("AWSGlue.BatchCreatePartition")
            .then(|| Reply::of(500, r#"{"__type": "InternalServiceException"}"#))
    });
    let compactor = lake.compactor();
    assert!(!compact(&compactor, SITE_A).await);
    assert_eq!(lake.world().keys("commits/").len(), 0);
    lake.mend();
    assert!(compact(&compactor, SITE_A).await);
    assert_eq!(lake.world().keys("commits/").len(), 1);
    without_violations(&lake);
}

#[tokio::test]
async fn a_write_that_meets_another_is_tried_again() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    let mut conflicts = 0;
    lake.fault(move |call: &Call, _| {
        let is_conflict = call.is("PutObject") && conflicts < 3;
        conflicts += usize::from(is_conflict);
        is_conflict.then(|| Reply::s3_error(409, "ConditionalRequestConflict"))
    });
    assert!(compact(&lake.compactor(), SITE_A).await);
    without_violations(&lake);
}

#[tokio::test]
async fn a_directory_that_takes_longer_than_the_time_left_is_gone_on_with_later() {
    let lake = lake_with(&[change("A", "a", 1)]).await;
    lake.fault(|call: &Call, _| {
        if call.is("PutObject") {
            std::thread::sleep(Duration::from_millis(300));
        }
        None
    });
    let message = json!({"messageId": "m1", "body": SITE_A});
    let event: Event = serde_json::from_value(json!({"Records": [message]})).unwrap();
    handle(&lake.compactor(), event, Instant::now() + Duration::from_secs(2)).await.unwrap();
    assert_eq!(lake.world().keys("commits/").len(), 1);
    assert_eq!(lake.world().messages.len(), 1);
    lake.mend();
}
