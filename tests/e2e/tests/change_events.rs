//! Change events on the local stack: from writes to the table to events in the queues.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use demo::source::{Generated, Write, generate};
use demo::{fhir_check, ledger};
use domain::change::{DeadLetterCause, RejectReason};
use e2e::scenario::Scenario;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

fn put(item: Value) -> Write {
    match item {
        Value::Object(item) => Write::Put(item),
        _ => Write::Put(Map::new()),
    }
}

/// Ten thousand changes, one in a hundred of them poison, and the runner killed again and again. Afterwards the cause of the
/// poison is mended, and one command replays it.
#[tokio::test]
async fn i1_i2_i3_nothing_is_lost_between_poison_and_a_killed_runner() -> Result<()> {
    let mut scenario = Scenario::start("poison", &json!({})).await?;
    let writes = generate(Generated { writes: 10_000, poison_per_mille: 10, seed: 2 });
    scenario.write(writes).await?;
    for events in (2_000..=8_000).step_by(750) {
        let what = format!("{events} events");
        scenario.until(Duration::from_mins(2), &what, |it| it.changes.len() >= events).await?;
        kill_the_runner(&scenario).await?;
    }

    let (history, dead) = scenario.until_nothing_is_missing(Duration::from_mins(4)).await?;
    ensure!(history.len() == 10_000, "{} stream records", history.len());

    // Every poison record is whole in the bucket, and its reason in the queue.
    ensure!(dead.len() > 50, "only {} dead letters", dead.len());
    for letter in &dead {
        let expected =
            DeadLetterCause::Rejected { reason: RejectReason::CodeUnknown, element: "gender".to_owned() };
        ensure!(letter.cause == expected, "{:?}", letter.cause);
        let record = history
            .iter()
            .find(|record| record.key == letter.key && record.sequence.as_str() == letter.sequence)
            .context("a dead letter that is not of the history")?;
        ensure!(
            demo::plain_json::canonical(letter.record.get())?
                == demo::plain_json::canonical(record.json.get())?,
            "a dead letter is not its whole record"
        );
    }
    let letters: BTreeSet<&str> = dead.iter().map(|letter| letter.object_key.as_str()).collect();
    scenario
        .until(Duration::from_secs(20), "a notice for each dead letter", |it| {
            let notices: BTreeSet<&str> =
                it.rejects.iter().map(|notice| notice.object_key.as_str()).collect();
            notices == letters
        })
        .await?;
    let poisoned: HashSet<_> = dead.iter().map(|letter| letter.key.clone()).collect();
    let without_poison = |table: std::collections::HashMap<(String, String), String>| {
        table
            .into_iter()
            .filter(|(key, _)| !poisoned.contains(key))
            .collect::<std::collections::HashMap<_, _>>()
    };
    ensure!(
        without_poison(scenario.table_from_events().await?) == without_poison(scenario.table().await?),
        "the events do not give the table"
    );

    no_value_of_an_item_is_in_a_log_or_a_name(&scenario).await?;

    // The cause is mended, and everything dead goes out.
    let mended = json!({"codeMaps": {"gender": {"w": "female"}}});
    scenario.deployment = scenario.stack.deploy(&mended).await?;
    let replay = scenario.replay()?;
    let said = String::from_utf8_lossy(&replay.stdout).into_owned();
    ensure!(
        replay.status.success() && said.contains(&format!("{} dead letters replayed", dead.len())),
        "{said}"
    );
    ensure!(scenario.dead().await?.is_empty(), "dead letters are left");
    scenario.until_nothing_is_missing(Duration::from_mins(1)).await?;
    ensure!(
        scenario.table_from_events().await? == scenario.table().await?,
        "after the replay the events do not give the table"
    );
    let arrivals = scenario.arrivals().await;
    ensure!(ledger::ids_used_twice(&arrivals).is_empty(), "an id stands for two changes");
    let fhir = fhir_check::check(&scenario.stack.repository, &arrivals).await?;
    ensure!(fhir.invalid == 0 && fhir.checked > 5_000, "{:?}", fhir.failures);
    drop(arrivals);
    scenario.end().await
}

/// Kills the runner wherever it is, and waits until the stack has started another.
async fn kill_the_runner(scenario: &Scenario) -> Result<()> {
    let killed = scenario.stack.record()?.runner_process;
    kill(Pid::from_raw(i32::try_from(killed)?), Signal::SIGKILL)?;
    let since = Instant::now();
    while scenario.stack.record()?.runner_process == killed {
        ensure!(since.elapsed() < Duration::from_secs(20), "the runner was not started again");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// I6, on a run over names in several scripts.
async fn no_value_of_an_item_is_in_a_log_or_a_name(scenario: &Scenario) -> Result<()> {
    let values = [
        "Dálaigh",
        "Nguyễn",
        "Söder",
        "אלמוני",
        "Ωμέγα",
        "Ünal",
        "Zoë",
        "José",
        "عينة",
        "例子",
        "Pippa",
        "Back\\",
        "Sample Street",
        "Exampleville",
        "urn:example:mrn",
        // With parentheses, because a request's id may have digits and a hyphen.
        "(555) ",
        "PATIENT#",
        "Heart rate",
    ];
    let traces = scenario.traces().await?;
    let all: usize = traces.iter().map(|trace| trace.text.len()).sum();
    ensure!(all > 10_000, "there is nothing to search: {all} bytes");
    for trace in traces {
        for value in values {
            // As it is, and as JSON may write it.
            let escaped: String = value
                .encode_utf16()
                .map(|unit| match u8::try_from(unit) {
                    Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
                    _ => format!("\\u{unit:04x}"),
                })
                .collect();
            ensure!(
                !trace.text.contains(value) && !trace.text.contains(&escaped),
                "{} shows {value:?}",
                trace.place
            );
        }
    }
    Ok(())
}

/// The router fails for longer than the pipe tries. The pipe's dead letters hold no record; the rescuer saves them.
#[tokio::test]
async fn i1_what_the_pipe_gives_up_is_rescued_and_replayed() -> Result<()> {
    let mut scenario = Scenario::start("rescue", &json!({"pipe": {"maximumRetryAttempts": 1}})).await?;
    let router = scenario.deployment.output("RouterFunctionName")?.to_owned();
    let bus = scenario.deployment.output("EventBusName")?.to_owned();
    let half = |seed| generate(Generated { writes: 60, poison_per_mille: 0, seed });

    scenario.write(half(3)).await?;
    scenario.until_nothing_is_missing(Duration::from_mins(1)).await?;
    scenario.set_variable(&router, "EVENT_BUS_NAME", None).await?;
    scenario.write(half(4)).await?;
    let (history, dead) = scenario.until_nothing_is_missing(Duration::from_mins(3)).await?;
    let arrived: BTreeSet<String> =
        scenario.arrivals().await.changes.iter().map(|arrival| arrival.sequence.clone()).collect();
    let missing: BTreeSet<String> = history
        .iter()
        .map(|record| record.sequence.as_str().to_owned())
        .filter(|sequence| !arrived.contains(sequence))
        .collect();
    let rescued: BTreeSet<String> = dead.iter().map(|letter| letter.sequence.clone()).collect();
    ensure!(
        !missing.is_empty() && rescued == missing,
        "{} missing, {} rescued",
        missing.len(),
        rescued.len()
    );
    for letter in &dead {
        let expected = DeadLetterCause::PipeGaveUp { condition: "RetryAttemptsExhausted".to_owned() };
        ensure!(letter.cause == expected, "{:?}", letter.cause);
    }

    scenario.set_variable(&router, "EVENT_BUS_NAME", Some(&bus)).await?;
    let replay = scenario.replay()?;
    ensure!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stdout));
    let (_, dead) = scenario.until_nothing_is_missing(Duration::from_mins(1)).await?;
    ensure!(dead.is_empty(), "{} dead letters are left", dead.len());
    ensure!(
        scenario.table_from_events().await? == scenario.table().await?,
        "the events do not give the table"
    );
    scenario.end().await
}

/// An unknown type, no type, an expiry, and one record among a hundred that cannot be read.
#[tokio::test]
async fn i3_every_kind_of_change_arrives_and_garbage_stops_nobody() -> Result<()> {
    let mut scenario = Scenario::start("kinds", &json!({})).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut writes: Vec<Write> = (0..99)
        .map(|number| {
            let key = format!("PATIENT#{number}");
            put(json!({"id": key, "sk": key, "itemType": "Patient", "names": [{"family": "Sample"}]}))
        })
        .collect();
    writes.insert(
        50,
        put(json!({"id": "PATIENT#x", "sk": "PATIENT#x", "itemType": "Patient", "names": "garbage"})),
    );
    scenario.write(writes).await?;
    scenario
        .until(Duration::from_secs(30), "99 patients and a reject", |it| {
            it.changes.len() == 99 && it.rejects.len() == 1
        })
        .await?;
    let reject = scenario.arrivals().await.rejects[0].clone();
    ensure!(reject.reason == RejectReason::ItemUnreadable, "{reject:?}");

    scenario
        .write(vec![
            put(json!({"id": "INVOICE#1", "sk": "INVOICE#1", "itemType": "Invoice", "amount": 1.5})),
            put(json!({"id": "NOTE#1", "sk": "NOTE#1", "text": "no type"})),
            put(json!({"id": "PATIENT#1", "sk": "ADDRESS#1", "itemType": "Address", "city": "Exampleville", "ttl": now - 60})),
        ])
        .await?;
    scenario.until(Duration::from_secs(30), "the expiry", |it| it.changes.len() == 103).await?;
    let arrivals = scenario.arrivals().await;
    let by_key = |id: &str, sk: &str| {
        arrivals.changes.iter().filter(|it| it.key == (id.to_owned(), sk.to_owned())).collect::<Vec<_>>()
    };
    for (key, change_type) in [("INVOICE#1", "InvoiceInsert"), ("NOTE#1", "ItemInsert")] {
        let change = by_key(key, key);
        ensure!(change.len() == 1, "{key}: {}", change.len());
        ensure!(
            change[0].detail_type == "ItemChange" && change[0].change_type == change_type,
            "{:?}",
            change[0]
        );
        ensure!(!change[0].has_fhir, "{key} has FHIR");
    }
    let address = by_key("PATIENT#1", "ADDRESS#1");
    let expiry = address.iter().find(|it| it.change_type == "AddressRemove").context("no expiry")?;
    ensure!(expiry.removed_by_ttl, "not marked as an expiry");
    let patient: Value = serde_json::from_str(expiry.event()?.fhir.context("no patient")?.get())?;
    ensure!(patient["id"] == "1" && patient.get("address").is_none(), "{patient}");
    let insert = address.iter().find(|it| it.change_type == "AddressInsert").context("no insert")?;
    let patient: Value = serde_json::from_str(insert.event()?.fhir.context("no patient")?.get())?;
    ensure!(patient["address"][0]["city"] == "Exampleville", "{patient}");
    drop(arrivals);
    scenario.end().await
}

/// Items near DynamoDB's limit of 400 KB: more than the enrichment may answer and far more than the bus takes.
#[tokio::test]
async fn i7_large_items_arrive_through_the_claim_check() -> Result<()> {
    let mut scenario = Scenario::start("large", &json!({"pipe": {"batchingWindowSeconds": 10}})).await?;
    let large = |number: usize, filler: &str| {
        let (id, sk) = (format!("PATIENT#{}", number % 3), format!("ENCOUNTER#{number}"));
        put(json!({
            "id": id, "sk": sk, "itemType": "Encounter", "status": "finished",
            "class": {"code": "AMB"}, "notes": filler.repeat(390 * 1024 / filler.len()),
        }))
    };
    scenario.write((0..20).map(|number| large(number, "x")).collect()).await?;
    scenario.write((0..4).map(|number| large(number, "é\"")).collect()).await?;
    scenario.until(Duration::from_mins(1), "24 large changes", |it| it.changes.len() >= 24).await?;
    let (history, dead) = scenario.until_nothing_is_missing(Duration::from_secs(10)).await?;
    ensure!(history.len() == 24 && dead.is_empty(), "{} records, {} dead", history.len(), dead.len());
    let arrivals = scenario.arrivals().await;
    for arrival in &arrivals.changes {
        ensure!(arrival.claim_checked, "{} did not go through S3", arrival.change_type);
        ensure!(arrival.message_bytes <= 262_144, "a message of {} bytes", arrival.message_bytes);
    }
    drop(arrivals);
    ensure!(
        scenario.table_from_events().await? == scenario.table().await?,
        "the events do not give the table"
    );
    let enricher = scenario.traces().await?;
    let enricher =
        enricher.iter().find(|trace| trace.place.ends_with("stream-enricher")).context("no log")?;
    let over_the_answer = enricher.text.lines().filter(|line| line.contains("batch enriched")).any(|line| {
        serde_json::from_str::<Value>(line).is_ok_and(|line| line["claim_checked"].as_u64() > Some(0))
    });
    ensure!(over_the_answer, "no batch came near what the enrichment may answer: the scenario shows nothing");
    scenario.end().await
}
