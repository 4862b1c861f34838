//! Ranges of files, published to a bus on this machine.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../export-runs/tests/loopback_aws/mod.rs"]
mod loopback_aws;

use std::time::Duration;

use domain::export::dead_line::DeadLine;
use domain::export::failure::FailureCode;
use domain::export::manifest::{ExportedFile, Range, ranges, result_key};
use domain::export::resource::{EVENT_SOURCE, LineReject};
use domain::export::run::Run;
use domain::export::tally::{RangeResult, Tally};
use export_publisher::{Answer, Config, RangeEvent, State, handle};
use lambda_support::put_events::EventBus;
use lambda_support::step::StepError;
use loopback_aws::{Aws, BUCKET, Call, Reply, TABLE, World, run, time};
use metrique::test_util::test_entry_sink;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tokio::time::Instant;

const FILE: &str = "exports/d1-FHIR_EXPORT-j1/Patient/Patient-1-0.ndjson";
const REQUEST_BYTES: usize = 262_144;

fn state_with(aws: &Aws, request_bytes: usize) -> State {
    State {
        runs: aws.runs(),
        bus: EventBus {
            client: aws_sdk_eventbridge::Client::new(&aws.sdk()),
            name: "changes".to_owned(),
            source: EVENT_SOURCE,
            request_bytes,
        },
        s3: aws_sdk_s3::Client::new(&aws.sdk()),
        config: Config {
            runs_table_name: TABLE.to_owned(),
            export_bucket_name: BUCKET.to_owned(),
            event_bus_name: "changes".to_owned(),
            claim_check_bucket_name: "claim-check".to_owned(),
            dead_letter_bucket_name: "dead-letters".to_owned(),
            put_events_request_bytes: request_bytes,
        },
        metrics: test_entry_sink().sink,
        clock: || time("2026-11-22T08:05:00Z"),
    }
}

fn state(aws: &Aws) -> State {
    state_with(aws, REQUEST_BYTES)
}

/// A run that has the lease, and the services that it works with.
async fn leased() -> (Aws, Run) {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, |_| ()).await;
    (aws, run)
}

fn range_of(aws: &Aws, content: &[u8], index: u32, start: usize, end: usize) -> Range {
    Range {
        index,
        key: FILE.to_owned(),
        etag: aws.store_export(FILE, content.to_vec()),
        start: start as u64,
        end: end as u64,
        file_bytes: content.len() as u64,
    }
}

fn whole(aws: &Aws, content: &[u8]) -> Range {
    range_of(aws, content, 0, 0, content.len())
}

async fn publish(state: &State, run: &Run, range: &Range, time: Duration) -> Result<Answer, StepError> {
    let event = RangeEvent { run: run.clone(), range: range.clone() };
    handle(state, event, Instant::now() + time).await
}

const ENOUGH: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(700);

fn result_of(aws: &Aws, run: &Run, range: &Range) -> Option<RangeResult> {
    let place = format!("{BUCKET}/{}", result_key(&run.datastore.id, &run.key.id, range));
    aws.world().objects.get(&place).map(|json| serde_json::from_slice(json).unwrap())
}

/// What the events carry, sorted, and taken off the bus.
fn taken(aws: &Aws) -> Vec<String> {
    let events = std::mem::take(&mut aws.world().events);
    let mut lines: Vec<String> = events
        .iter()
        .map(|event| {
            assert_eq!(
                (event.source.as_str(), event.detail_type.as_str()),
                (EVENT_SOURCE, "FhirResourceChanged")
            );
            let (_, fhir) = event.detail.split_once(r#","fhir":"#).unwrap();
            fhir.strip_suffix('}').unwrap().to_owned()
        })
        .collect();
    lines.sort();
    lines
}

fn sorted(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.into_iter().collect();
    lines.sort();
    lines
}

fn dead_lines(aws: &Aws) -> Vec<DeadLine> {
    let world = aws.world();
    let dead = world.objects.iter().filter(|(place, _)| place.starts_with("dead-letters/"));
    let mut dead: Vec<DeadLine> = dead
        .map(|(place, json)| {
            let dead: DeadLine = serde_json::from_slice(json).unwrap();
            assert_eq!(*place, format!("dead-letters/{}", dead.object_key()));
            dead
        })
        .collect();
    dead.sort_by_key(|dead| dead.offset);
    dead
}

fn resource(id: impl std::fmt::Display) -> String {
    format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#)
}

fn resources(count: usize) -> Vec<String> {
    (0..count).map(resource).collect()
}

fn is_of_file(call: &Call) -> bool {
    call.is("s3:GetObject") && call.uri.path().ends_with(".ndjson")
}

#[tokio::test]
async fn i1_every_line_is_published_once_wherever_the_file_is_cut() {
    let (aws, run) = leased().await;
    let state = state(&aws);
    let [a, b, c] = ["a", "bb", "c"].map(resource);
    let files =
        [format!("{a}\n{b}\n{c}\n"), format!("{a}\n{b}\n{c}"), format!("\n\n{a}\r\n\r\n  \n{b}\r\n{c}\r")];
    let mut index = 0;
    for file in files {
        for edge in 1..file.len() {
            let mut sum = Tally::default();
            for (start, end) in [(0, edge), (edge, file.len())] {
                let range = range_of(&aws, file.as_bytes(), index, start, end);
                index += 1;
                publish(&state, &run, &range, ENOUGH).await.unwrap();
                sum.add(&result_of(&aws, &run, &range).unwrap().tally);
            }
            assert_eq!(taken(&aws), [&a, &b, &c].map(String::as_str), "cut at {edge} of {file:?}");
            assert_eq!(
                (sum.published_total(), sum.rejected_total(), sum.bytes),
                (3, 0, file.len() as u64),
                "{edge} of {file:?}"
            );
        }
    }
}

#[tokio::test]
async fn i1_lines_are_put_together_from_pieces_of_any_size() {
    let (aws, run) = leased().await;
    let state = state(&aws);
    let lines = resources(5);
    let file = lines.join("\r\n");
    for (index, piece) in (0..).zip([1, 7, 30, 31, 32, 33, 1_000]) {
        aws.mend();
        aws.fault(move |call, world| {
            let reply = |world: &mut World| world.object_store("GetObject", call).in_pieces(piece);
            is_of_file(call).then(|| reply(world))
        });
        for half in 0..2 {
            let edges = [0, file.len() / 2, file.len()];
            let range = range_of(
                &aws,
                file.as_bytes(),
                index * 2 + half,
                edges[half as usize],
                edges[half as usize + 1],
            );
            publish(&state, &run, &range, ENOUGH).await.unwrap();
        }
        assert_eq!(taken(&aws), lines, "pieces of {piece} bytes");
    }
}

/// A line of a random file.
#[derive(Debug, Clone)]
enum Content {
    Resource(usize),
    Blank(&'static str),
    Broken(usize),
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        4 => (0_usize..300).prop_map(Content::Resource),
        1 => prop_oneof![Just(""), Just(" "), Just("\t")].prop_map(Content::Blank),
        1 => (1_usize..200).prop_map(Content::Broken),
    ]
}

#[test]
fn i1_i3_any_file_in_any_ranges_is_published_once_and_its_broken_lines_are_kept() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(30));
    let files = (prop::collection::vec((content(), any::<bool>()), 1..20), any::<bool>(), 1_u64..30);
    let checked = runner.run(&files, |(contents, ends_with_feed, parts)| {
        runtime.block_on(async {
            let (aws, run) = leased().await;
            let state = state(&aws);
            let (mut file, mut expected, mut broken) = (String::new(), Vec::new(), Vec::new());
            for (number, (content, has_return)) in contents.iter().enumerate() {
                match content {
                    Content::Resource(filler) => {
                        let text = "é".repeat(*filler);
                        let line = format!(r#"{{"resourceType":"Patient","id":"{number}","a":"{text}"}}"#);
                        file.push_str(&line);
                        expected.push(line);
                    }
                    Content::Blank(text) => file.push_str(text),
                    Content::Broken(length) => {
                        broken.push((file.len() as u64, *length));
                        file.push_str(&"x".repeat(*length));
                    }
                }
                file.push_str(if *has_return { "\r\n" } else { "\n" });
            }
            if !ends_with_feed {
                file.pop();
            }
            let etag = aws.store_export(FILE, file.clone());
            let listed = ExportedFile { key: FILE.to_owned(), etag, bytes: file.len() as u64 };
            let mut sum = Tally::default();
            for range in ranges(&[listed], file.len() as u64 / parts) {
                publish(&state, &run, &range, ENOUGH).await.unwrap();
                sum.add(&result_of(&aws, &run, &range).unwrap().tally);
            }
            assert_eq!(taken(&aws), sorted(expected.clone()));
            let kept: Vec<(u64, usize)> = dead_lines(&aws)
                .iter()
                .map(|dead| (dead.offset, dead.line.as_ref().unwrap().trim_end().len()))
                .collect();
            assert_eq!(kept, broken);
            assert_eq!(
                (sum.published_total(), sum.rejected_total(), sum.bytes),
                (expected.len() as u64, broken.len() as u64, file.len() as u64)
            );
        });
        Ok(())
    });
    checked.unwrap();
}

#[tokio::test]
async fn requests_are_full_and_the_failed_entries_alone_are_sent_again() {
    let (aws, run) = leased().await;
    let lines = resources(95);
    let mut has_failed = false;
    aws.fault(move |call, world| {
        if !call.is("events:PutEvents") || std::mem::replace(&mut has_failed, true) {
            return None;
        }
        let request = call.json();
        let entries = request["Entries"].as_array().unwrap();
        let results = entries.iter().enumerate().map(|(number, entry)| {
            if [2, 5].contains(&number) {
                return json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "Ngozi"});
            }
            world.take(entry);
            json!({"EventId": "e"})
        });
        Some(Reply::json(&json!({"FailedEntryCount": 2, "Entries": results.collect::<Vec<_>>()})))
    });
    let range = whole(&aws, lines.join("\n").as_bytes());
    assert_eq!(publish(&state(&aws), &run, &range, ENOUGH).await, Ok(Answer {}));
    assert_eq!(taken(&aws), sorted(lines));
    let entries = |call: &Call| call.json()["Entries"].as_array().unwrap().len();
    let mut sizes: Vec<usize> = aws.calls("events:PutEvents").iter().map(entries).collect();
    sizes.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
    assert_eq!(sizes[..10], [10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
    assert_eq!(sizes[10..].iter().sum::<usize>(), 2, "{sizes:?}");
}

#[tokio::test]
async fn i7_no_request_passes_the_limit() {
    let (aws, run) = leased().await;
    let limit = 6_000;
    let lines: Vec<String> = (0..60)
        .map(|number| {
            let text = "x".repeat(number * 31 % 1_300);
            format!(r#"{{"resourceType":"Patient","id":"{number}","a":"{text}"}}"#)
        })
        .collect();
    let range = whole(&aws, lines.join("\n").as_bytes());
    publish(&state_with(&aws, limit), &run, &range, ENOUGH).await.unwrap();
    assert_eq!(taken(&aws), sorted(lines));
    for call in aws.calls("events:PutEvents") {
        let request = call.json();
        let entries = request["Entries"].as_array().unwrap().iter();
        let bytes: usize = entries
            .flat_map(|entry| {
                ["Source", "DetailType", "Detail"].map(|name| entry[name].as_str().unwrap().len())
            })
            .sum();
        assert!(bytes <= limit, "a request of {bytes} bytes");
    }
}

#[tokio::test]
async fn i1_a_bus_that_is_down_fails_the_range_by_name_and_leaves_no_result() {
    let (aws, run) = leased().await;
    aws.break_down("events:PutEvents");
    let range = whole(&aws, resources(12).join("\n").as_bytes());
    let error = publish(&state(&aws), &run, &range, SHORT).await.unwrap_err();
    assert_eq!(error.code, FailureCode::BusRefused);
    assert!(aws.calls("events:PutEvents").len() > 2, "it was not tried again");
    assert_eq!(result_of(&aws, &run, &range), None);
    let reason = aws.stored_record(&run).await.range_failure.unwrap();
    assert_eq!(reason.code, FailureCode::BusRefused);
    assert!(reason.cause.contains("range 0"), "{reason:?}");
    aws.mend();
    publish(&state(&aws), &run, &range, ENOUGH).await.unwrap();
    assert_eq!(taken(&aws), sorted(resources(12)));
}

#[tokio::test]
async fn a_resource_over_the_limit_goes_to_s3_and_its_event_says_where() {
    let (aws, run) = leased().await;
    let large = format!(r#"{{"resourceType":"Binary","id":"b1","data":"{}"}}"#, "x".repeat(3_000_000));
    let range = whole(&aws, format!("{}\n{large}\n{}\n", resource(1), resource(2)).as_bytes());
    publish(&state(&aws), &run, &range, ENOUGH).await.unwrap();
    let events: Vec<Value> = aws.world().events.iter().map(loopback_aws::Event::json).collect();
    assert_eq!(events.len(), 3);
    let referring = events.iter().find(|event| event.get("dataRef").is_some()).unwrap();
    assert!(referring.get("fhir").is_none());
    let key = format!("fhir/{}.json", referring["meta"]["id"].as_str().unwrap());
    let stored = aws.world().objects[&format!("claim-check/{key}")].clone();
    let data_ref = json!({"bucket": "claim-check", "key": key, "bytes": stored.len()});
    assert_eq!(referring["dataRef"], data_ref);
    assert!(stored.ends_with(format!(r#","fhir":{large}}}"#).as_bytes()), "the line is not as it was");
    assert_eq!(serde_json::from_slice::<Value>(&stored).unwrap()["meta"], referring["meta"]);
    let tally = result_of(&aws, &run, &range).unwrap().tally;
    assert_eq!((tally.claim_checked, tally.published_total()), (1, 3));
}

#[tokio::test]
async fn a_resource_that_the_bus_finds_too_large_goes_to_s3_after_all() {
    let (aws, run) = leased().await;
    aws.fault(|call, _| {
        let is_too_large = call.is("events:PutEvents") && call.body.len() > 30_000;
        is_too_large.then(|| {
            let message = "Total size of the entries in the request is over the limit.";
            Reply::text(400, json!({"__type": "ValidationException", "message": message}).to_string())
        })
    });
    let large = format!(r#"{{"resourceType":"Patient","id":"large","a":"{}"}}"#, "x".repeat(40_000));
    let range = whole(&aws, format!("{}\n{large}\n{}\n", resource(1), resource(2)).as_bytes());
    publish(&state(&aws), &run, &range, ENOUGH).await.unwrap();
    let referring = |event: &Value| event.get("dataRef").is_some();
    let events: Vec<Value> = aws.world().events.iter().map(loopback_aws::Event::json).collect();
    assert_eq!((events.len(), events.iter().filter(|event| referring(event)).count()), (3, 1));
    assert_eq!(result_of(&aws, &run, &range).unwrap().tally.claim_checked, 1);
}

#[tokio::test]
async fn i3_broken_lines_lie_in_the_dead_letters_before_the_range_is_done() {
    use LineReject::{LineNotJson, LineNotResource, LineNotUtf8};
    let (aws, run) = leased().await;
    let file = [
        b"{\"resourceType\":\"Patient\"\n".as_slice(),
        resource(1).as_bytes(),
        b"\n\xff\xfe\n[1]\n",
        resource(2).as_bytes(),
        b"\n{\"resourceType\":\"Patient\",\"id\":7}",
    ]
    .concat();
    aws.fault(|call, world| {
        let is_result = call.is("s3:PutObject") && call.uri.path().contains("/results/");
        let dead = world.objects.keys().filter(|place| place.starts_with("dead-letters/")).count();
        assert!(!is_result || dead == 4, "the result came before the dead letters");
        None
    });
    let range = whole(&aws, &file);
    publish(&state(&aws), &run, &range, ENOUGH).await.unwrap();
    assert_eq!(taken(&aws), [resource(1), resource(2)]);
    let dead = dead_lines(&aws);
    let reasons: Vec<LineReject> = dead.iter().map(|dead| dead.reason).collect();
    assert_eq!(reasons, [LineNotJson, LineNotUtf8, LineNotResource, LineNotResource]);
    assert_eq!(dead[1].line_hex.as_deref(), Some("fffe"));
    for dead in &dead {
        let line = &file[usize::try_from(dead.offset).unwrap()..][..usize::try_from(dead.bytes).unwrap()];
        if let Some(text) = &dead.line {
            assert_eq!(text.as_bytes(), line);
        }
        assert_eq!((dead.file.as_str(), dead.run_id.0.as_str()), (FILE, "r1"));
    }
    let tally = result_of(&aws, &run, &range).unwrap().tally;
    assert_eq!((tally.published_total(), tally.rejected_total()), (2, 4));
    assert_eq!(tally.rejected["line-not-resource"], 2);
}

#[tokio::test]
async fn i3_a_resource_that_the_bus_refuses_lies_in_the_dead_letters_and_stops_no_other() {
    let (aws, run) = leased().await;
    let lines = resources(25);
    aws.fault(|call, world| {
        if !call.is("events:PutEvents") {
            return None;
        }
        let request = call.json();
        let results = request["Entries"].as_array().unwrap().iter().map(|entry| {
            if entry["Detail"].as_str().unwrap().contains(&resource(7)) {
                return json!({"ErrorCode": "MalformedDetail", "ErrorMessage": "Ngozi"});
            }
            world.take(entry);
            json!({"EventId": "e"})
        });
        Some(Reply::json(&json!({"FailedEntryCount": 1, "Entries": results.collect::<Vec<_>>()})))
    });
    let range = whole(&aws, lines.join("\n").as_bytes());
    publish(&state(&aws), &run, &range, ENOUGH).await.unwrap();
    let others = lines.iter().filter(|line| **line != resource(7)).cloned();
    assert_eq!(taken(&aws), sorted(others));
    let dead = dead_lines(&aws);
    let dead: Vec<_> = dead.iter().map(|dead| (dead.reason, dead.line.clone().unwrap())).collect();
    assert_eq!(dead, [(LineReject::LineRefused, resource(7))]);
    let tally = result_of(&aws, &run, &range).unwrap().tally;
    assert_eq!((tally.published_total(), tally.rejected_total()), (24, 1));
}

#[tokio::test]
async fn i1_a_broken_line_that_cannot_be_kept_fails_the_range() {
    let (aws, run) = leased().await;
    aws.fault(|call, _| {
        let is_dead_letter = call.uri.path().starts_with("/dead-letters/");
        is_dead_letter.then(|| Reply::s3_error(503, "SlowDown"))
    });
    let range = whole(&aws, b"Ngozi\n");
    let error = publish(&state(&aws), &run, &range, SHORT).await.unwrap_err();
    assert_eq!(error, StepError::new(FailureCode::DependencyFailed, "s3:PutObject failed: SlowDown"));
    assert_eq!(result_of(&aws, &run, &range), None);
}

#[tokio::test]
async fn i7_a_line_too_long_to_be_held_is_told_of_and_the_lines_around_it_are_published() {
    let (aws, run) = leased().await;
    let longest = 8 * 1024 * 1024;
    let of_length = |bytes: usize| {
        let frame = r#"{"resourceType":"Binary","id":"l","data":""}"#;
        frame.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - frame.len())))
    };
    for (index, (bytes, is_held)) in
        (0..).step_by(3).zip([(longest + 1, false), (longest, true), (20_000_000, false)])
    {
        let long = of_length(bytes);
        let file = format!("{}\n{long}\n{}\n", resource(1), resource(2));
        let edges = [0, 5_000_000, 7_000_000, file.len()];
        for part in 0..3 {
            let range =
                range_of(&aws, file.as_bytes(), index + part, edges[part as usize], edges[part as usize + 1]);
            publish(&state(&aws), &run, &range, ENOUGH).await.unwrap();
        }
        let events = std::mem::take(&mut aws.world().events);
        assert_eq!(events.len(), if is_held { 3 } else { 2 }, "{bytes}");
        let dead = dead_lines(&aws);
        assert_eq!(dead.len(), usize::from(!is_held), "{bytes}");
        for dead in dead {
            assert_eq!((dead.offset, dead.bytes), (resource(1).len() as u64 + 1, bytes as u64));
            assert_eq!((dead.reason, dead.line, dead.line_hex), (LineReject::LineTooLong, None, None));
        }
        aws.world().objects.retain(|place, _| !place.starts_with("dead-letters/"));
    }
}

#[tokio::test]
async fn i5_a_run_without_the_lease_publishes_nothing() {
    let (aws, run) = leased().await;
    let range = whole(&aws, resources(3).join("\n").as_bytes());
    aws.lease_lost(&run).await;
    let error = publish(&state(&aws), &run, &range, ENOUGH).await.unwrap_err();
    assert_eq!(error.code, FailureCode::LeaseLost);
    assert!(taken(&aws).is_empty() && result_of(&aws, &run, &range).is_none());
}

#[tokio::test]
async fn i5_a_lease_that_is_lost_under_way_stops_the_range() {
    let (aws, mut run) = leased().await;
    run.datastore.lease_seconds = 1;
    aws.fault(|call, world| {
        if !is_of_file(call) {
            return None;
        }
        for item in world.table.items.values_mut() {
            item.insert("leaseRunId".to_owned(), json!({"S": "another"}));
        }
        Some(world.object_store("GetObject", call).in_pieces(40))
    });
    let lines = resources(1_000);
    let range = whole(&aws, lines.join("\n").as_bytes());
    let error = publish(&state(&aws), &run, &range, ENOUGH).await.unwrap_err();
    assert_eq!(error.code, FailureCode::LeaseLost);
    assert_eq!(result_of(&aws, &run, &range), None);
    assert!(taken(&aws).len() < lines.len(), "it went on to the end");
    assert_eq!(aws.stored_state().await.unwrap().lease.unwrap().run_id.0, "another");
}

#[tokio::test]
async fn a_range_whose_result_is_there_is_not_published_again() {
    let (aws, run) = leased().await;
    let state = state(&aws);
    let range = whole(&aws, resources(3).join("\n").as_bytes());
    publish(&state, &run, &range, ENOUGH).await.unwrap();
    let result = result_of(&aws, &run, &range).unwrap();
    assert_eq!((result.index, &result.etag), (0, &range.etag));
    taken(&aws);
    publish(&state, &run, &range, ENOUGH).await.unwrap();
    assert!(taken(&aws).is_empty());
    // Of another file under the same key, the result says nothing.
    let other = whole(&aws, resources(4).join("\n").as_bytes());
    publish(&state, &run, &other, ENOUGH).await.unwrap();
    assert_eq!(taken(&aws), resources(4));
}

#[tokio::test]
async fn i1_a_body_that_breaks_off_is_read_on_from_where_it_broke() {
    let (aws, run) = leased().await;
    let lines = resources(20);
    let file = lines.join("\n");
    let mut opened = 0;
    aws.fault(move |call, world| {
        opened += usize::from(is_of_file(call));
        match (is_of_file(call), opened) {
            (true, 1) => Some(world.object_store("GetObject", call).cut_after(77)),
            (true, 2) => Some(Reply::s3_error(503, "SlowDown")),
            (true, 3) => Some(Reply::cut()),
            _ => None,
        }
    });
    let range = range_of(&aws, file.as_bytes(), 0, 10, file.len());
    publish(&state(&aws), &run, &range, ENOUGH).await.unwrap();
    assert_eq!(taken(&aws), sorted(lines[1..].to_vec()));
    let asked: Vec<String> = aws
        .calls("s3:GetObject")
        .iter()
        .filter(|call| is_of_file(call))
        .map(|call| call.header("range").to_owned())
        .collect();
    let rest = format!("bytes=86-{}", file.len() - 1);
    assert_eq!(asked, [format!("bytes=9-{}", file.len() - 1), rest.clone(), rest.clone(), rest]);
}

#[tokio::test]
async fn a_store_that_does_not_come_back_fails_the_range_for_another_attempt() {
    let (aws, run) = leased().await;
    aws.fault(|call, _| is_of_file(call).then(|| Reply::s3_error(500, "InternalError")));
    let range = whole(&aws, resources(3).join("\n").as_bytes());
    let error = publish(&state(&aws), &run, &range, SHORT).await.unwrap_err();
    assert_eq!(error, StepError::new(FailureCode::DependencyFailed, "s3:GetObject failed: InternalError"));
    assert!(aws.calls("s3:GetObject").len() > 2, "it was not tried again");
}

#[tokio::test]
async fn a_file_that_is_gone_or_another_fails_the_range_for_good() {
    let (aws, run) = leased().await;
    let state = state(&aws);
    let changed = whole(&aws, b"before");
    whole(&aws, resources(3).join("\n").as_bytes());
    let gone = Range { key: "exports/gone.ndjson".to_owned(), ..changed.clone() };
    for (range, code) in [(changed, "PreconditionFailed"), (gone, "NoSuchKey")] {
        let error = publish(&state, &run, &range, ENOUGH).await.unwrap_err();
        assert_eq!(error, StepError::new(FailureCode::ExportFileChanged, format!("s3:GetObject: {code}")));
        assert_eq!(
            aws.calls("s3:GetObject").iter().filter(|call| is_of_file(call)).count(),
            1,
            "asked again in vain"
        );
        aws.world().calls.clear();
    }
    assert!(taken(&aws).is_empty());
}

#[tokio::test]
async fn i5_a_run_that_is_over_keeps_its_record() {
    let (aws, run) = leased().await;
    aws.lease_lost(&run).await;
    let over = aws
        .stored_record(&run)
        .await
        .revised(|record| record.status = domain::export::run::RunStatus::Failed);
    let _ = aws.runs().write_record(&run.datastore.id, &over).await.unwrap();
    let range = whole(&aws, resources(3).join("\n").as_bytes());
    publish(&state(&aws), &run, &range, ENOUGH).await.unwrap_err();
    assert_eq!(aws.stored_record(&run).await, over);
}

#[tokio::test]
async fn i6_no_error_tells_what_was_published() {
    type Break = fn(&Call) -> Option<Reply>;
    let breaks: [(&str, Break); 5] = [
        ("bus", |call| call.is("events:PutEvents").then(|| Reply::error(400, "ValidationException"))),
        ("file", |call| is_of_file(call).then(|| Reply::s3_error(403, "AccessDenied"))),
        ("dead letters", |call| {
            call.uri.path().starts_with("/dead-letters/").then(|| Reply::s3_error(403, "AccessDenied"))
        }),
        ("claim check", |call| {
            call.uri.path().starts_with("/claim-check/").then(|| Reply::s3_error(403, "AccessDenied"))
        }),
        ("result", |call| {
            (call.is("s3:PutObject") && call.uri.path().contains("/results/"))
                .then(|| Reply::s3_error(403, "AccessDenied"))
        }),
    ];
    let large = "Ngozi".repeat(80_000);
    let file = format!(
        "Ngozi\n{}\n{{\"resourceType\":\"Patient\",\"id\":\"Ngozi\",\"a\":\"{large}\"}}\n",
        resource("Ngozi")
    );
    for (name, fault) in breaks {
        let (aws, run) = leased().await;
        aws.fault(move |call, _| fault(call));
        let range = whole(&aws, file.as_bytes());
        let error = publish(&state(&aws), &run, &range, SHORT).await.unwrap_err();
        let reason = aws.stored_record(&run).await.range_failure.unwrap();
        let told = format!("{error:?} {reason:?}");
        assert!(!told.contains("Ngozi"), "{name}: {told}");
        assert_eq!(result_of(&aws, &run, &range), None, "{name}");
        let keys: Vec<String> = aws.world().objects.keys().cloned().collect();
        assert!(keys.iter().all(|key| !key.contains("Ngozi")), "{keys:?}");
    }
}
