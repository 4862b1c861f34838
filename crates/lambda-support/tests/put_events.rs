//! `PutEvents` against a mocked bus.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_eventbridge::error::ErrorMetadata;
use aws_sdk_eventbridge::operation::put_events::{PutEventsError, PutEventsInput, PutEventsOutput};
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::change::KeyHash;
use lambda_support::put_events::{Entry, EventBus, Fate};
use tokio::time::Instant;

fn bus(rules: &[&Rule], request_bytes: usize) -> EventBus {
    EventBus {
        client: mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, rules),
        name: "bus".to_owned(),
        source: "test",
        request_bytes,
    }
}

fn entry(detail: impl Into<String>, key: Option<&str>) -> Entry {
    Entry { detail_type: "T", detail: detail.into(), key: key.map(|key| KeyHash::of(key, "")) }
}

fn answer(request: &PutEventsInput, is_refused: impl Fn(&str) -> bool) -> PutEventsOutput {
    let entries = request.entries().iter().map(|entry| {
        let result = PutEventsResultEntry::builder();
        if is_refused(entry.detail().unwrap()) {
            result.error_code("InternalFailure").build()
        } else {
            result.event_id("b").build()
        }
    });
    PutEventsOutput::builder().set_entries(Some(entries.collect())).build()
}

type Requests = Arc<Mutex<Vec<Vec<String>>>>;

fn recording(requests: &Requests) -> impl Fn(&PutEventsInput) -> bool + Send + Sync + 'static {
    let requests = requests.clone();
    move |request| {
        let details = request.entries().iter().map(|entry| entry.detail().unwrap().to_owned()).collect();
        requests.lock().unwrap().push(details);
        true
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[tokio::test]
async fn requests_are_as_full_as_both_limits_allow() {
    let requests = Requests::default();
    let rule = mock!(aws_sdk_eventbridge::Client::put_events)
        .match_requests(recording(&requests))
        .then_compute_output(|request| answer(request, |_| false));
    let mut entries: Vec<Entry> = (0..25).map(|number| entry(number.to_string(), None)).collect();
    // Source 4, detail type 1, detail 95: 100 bytes each.
    entries.extend((0..7).map(|_| entry("x".repeat(95), None)));
    let fates = bus(&[&rule], 250).put(&entries, soon()).await;
    assert!(fates.iter().all(|fate| *fate == Fate::Accepted));
    let requests = requests.lock().unwrap();
    assert_eq!(requests.iter().map(Vec::len).sum::<usize>(), 32);
    for request in requests.iter() {
        let bytes: usize = request.iter().map(|detail| 5 + detail.len()).sum();
        assert!(request.len() <= 10 && bytes <= 250, "{} entries, {bytes} bytes", request.len());
    }
    assert!(requests.len() <= 7, "{} requests", requests.len());
}

#[tokio::test]
async fn only_what_failed_is_tried_again() {
    let requests = Requests::default();
    let refusals = Arc::new(Mutex::new(2));
    let rule = mock!(aws_sdk_eventbridge::Client::put_events)
        .match_requests(recording(&requests))
        .then_compute_output(move |request| {
            answer(request, |detail| {
                let mut refusals = refusals.lock().unwrap();
                let refuse = detail == "3" && *refusals > 0;
                *refusals -= i32::from(refuse);
                refuse
            })
        });
    let entries: Vec<Entry> = (0..10).map(|number| entry(number.to_string(), None)).collect();
    let fates = bus(&[&rule], 262_144).put(&entries, soon()).await;
    assert!(fates.iter().all(|fate| *fate == Fate::Accepted));
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[1..], [vec!["3".to_owned()], vec!["3".to_owned()]]);
}

#[tokio::test]
async fn a_keys_next_entry_waits_until_the_one_before_it_is_accepted() {
    let accepted: Arc<Mutex<Vec<String>>> = Arc::default();
    let rule = {
        let accepted = accepted.clone();
        mock!(aws_sdk_eventbridge::Client::put_events).then_compute_output(move |request| {
            answer(request, |detail| {
                let refuse = fastrand::u8(0..3) == 0;
                if !refuse {
                    accepted.lock().unwrap().push(detail.to_owned());
                }
                refuse
            })
        })
    };
    let entries: Vec<Entry> = (0..60)
        .map(|number| entry(format!("{}-{number:02}", number % 5), Some(&(number % 5).to_string())))
        .collect();
    let fates = bus(&[&rule], 262_144).put(&entries, soon()).await;
    assert!(fates.iter().all(|fate| *fate == Fate::Accepted));
    let mut last: HashMap<String, String> = HashMap::new();
    for detail in accepted.lock().unwrap().iter() {
        let key = detail[..1].to_owned();
        assert!(last.get(&key).is_none_or(|earlier| earlier < detail), "{detail} overtook");
        last.insert(key, detail.clone());
    }
}

#[tokio::test]
async fn behind_an_entry_that_is_not_accepted_its_key_stops_and_others_go_on() {
    let rule = mock!(aws_sdk_eventbridge::Client::put_events)
        .then_compute_output(|request| answer(request, |detail| detail == "a1"));
    let entries =
        [entry("a1", Some("a")), entry("b1", Some("b")), entry("a2", Some("a")), entry("b2", Some("b"))];
    let fates = bus(&[&rule], 262_144).put(&entries, Instant::now() + Duration::from_millis(200)).await;
    assert_eq!(fates, [Fate::Failed, Fate::Accepted, Fate::Failed, Fate::Accepted]);
}

#[tokio::test]
async fn a_refusal_for_size_is_narrowed_down_to_the_entry_that_is_too_large() {
    let refusal = || {
        let message = "Total size of the entries in the request is over the limit.";
        PutEventsError::generic(ErrorMetadata::builder().code("ValidationException").message(message).build())
    };
    let with_the_large_one = mock!(aws_sdk_eventbridge::Client::put_events)
        .match_requests(|request| request.entries().iter().any(|entry| entry.detail() == Some("large")))
        .then_error(refusal);
    let others = mock!(aws_sdk_eventbridge::Client::put_events)
        .then_compute_output(|request| answer(request, |_| false));
    let entries = [entry("small", None), entry("large", None), entry("small", None)];
    let fates = bus(&[&with_the_large_one, &others], 262_144).put(&entries, soon()).await;
    assert_eq!(fates, [Fate::Accepted, Fate::TooLarge, Fate::Accepted]);
}

#[tokio::test]
async fn a_bus_that_hangs_is_given_up_when_the_time_is_up() {
    let rule =
        mock!(aws_sdk_eventbridge::Client::put_events).then_error(|| PutEventsError::unhandled("down"));
    let started = Instant::now();
    let fates = bus(&[&rule], 262_144).put(&[entry("x", None)], started + Duration::from_millis(150)).await;
    assert_eq!(fates, [Fate::Failed]);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}
