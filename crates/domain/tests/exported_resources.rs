//! What becomes of an exported line: its bytes, its id, and why it is no resource.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::fmt::Write;

use domain::change::{ChangeId, DEAD_PREFIX, DataRef};
use domain::export::datastore::{Datastore, DatastoreId, PollLimits, Scope};
use domain::export::dead_line::DeadLine;
use domain::export::resource::{EventWriter, ExportedResource, FhirResourceChanged, LineReject};
use domain::export::run::{Run, RunId, RunKey};
use domain::export::window::{Mode, Window};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1","meta":{"versionId":"2","lastUpdated":"2026-11-22T07:14:00.461Z"},"gender":"female"}"#;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn run_of(datastore: &str) -> Run {
    Run {
        key: RunKey { started_at: time("2026-11-22T08:00:00Z"), id: RunId("r1".to_owned()) },
        datastore: Datastore {
            id: DatastoreId(datastore.to_owned()),
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
        },
        mode: Mode::Incremental,
        window: Window { since: Some(time("2026-11-22T07:00:00Z")), until: time("2026-11-22T08:00:00Z") },
    }
}

fn detail_of(line: &str) -> String {
    let resource = ExportedResource::read(line.as_bytes()).unwrap();
    let mut detail = String::new();
    let id = EventWriter::of(&run_of("d1")).write(&resource, &mut detail);
    assert_eq!(id, resource.change_id(&DatastoreId("d1".to_owned())));
    detail
}

fn id_of(datastore: &str, line: &str) -> ChangeId {
    ExportedResource::read(line.as_bytes()).unwrap().change_id(&DatastoreId(datastore.to_owned()))
}

fn patient(id: &str, meta: &Value) -> String {
    json!({"resourceType": "Patient", "id": id, "meta": meta}).to_string()
}

/// The event parsed again; what `fhir` holds is the line, byte for byte.
fn assert_carries(detail: &str, line: &str) {
    let event: FhirResourceChanged<'_> = serde_json::from_str(detail).unwrap();
    assert_eq!(event.fhir.unwrap().get(), line);
    assert!(event.data_ref.is_none());
    let end = format!(r#","fhir":{line}}}"#);
    assert!(detail.ends_with(&end), "{detail}");
}

#[test]
fn i1_the_bytes_of_a_line_are_untouched() {
    let cases = [
        ("whitespace", r#"{ "resourceType" :	"Patient",  "id":"p1" , "active":true }"#),
        (
            "decimals",
            r#"{"resourceType":"Observation","id":"o","a":1.10,"b":1.0e+2,"c":-0.0,"d":123456789012345678901234567890,"e":0.123456789012345678901234567890}"#,
        ),
        (
            "escapes",
            r#"{"resourceType":"Patient","id":"p1","a":"\u00e9\/\t\"","b":"\ud83d\ude00","\u0063":"é😀"}"#,
        ),
        ("a lone surrogate", r#"{"resourceType":"Patient","id":"p1","a":"\ud800"}"#),
        ("order", r#"{"z":1,"resourceType":"Patient","a":2,"id":"p1","meta":{"z":0,"versionId":"1"}}"#),
        ("a repeated member", r#"{"resourceType":"Patient","id":"p1","a":1,"a":2}"#),
        ("contained", r#"{"contained":[{"resourceType":"X","id":"x"}],"resourceType":"Patient","id":"p1"}"#),
        ("line separators", "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"a\":\"\u{2028}\u{85}\u{feff}\"}"),
    ];
    for (name, line) in cases {
        assert_carries(&detail_of(line), line);
        let padded = format!("  {line}\t\r");
        assert_eq!(detail_of(&padded), detail_of(line), "{name}: the line's own ends are no part of it");
    }
}

#[test]
fn i7_depth_costs_no_stack() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let inner = if close == "}" { "1" } else { "" };
        let deep = format!("{}{inner}{}", open.repeat(200_000), close.repeat(200_000));
        let line = format!(
            r#"{{"resourceType":"Patient","id":"p1","meta":{{"tag":{deep},"versionId":"1"}},"a":{deep}}}"#
        );
        assert_carries(&detail_of(&line), &line);
    }
}

#[test]
fn the_event_is_what_its_type_says() {
    let detail = detail_of(PATIENT);
    let event: FhirResourceChanged<'_> = serde_json::from_str(&detail).unwrap();
    let written: Value = serde_json::from_str(&detail).unwrap();
    assert_eq!(serde_json::to_value(&event).unwrap(), written, "the writer and the type differ");
    assert_eq!(
        written["meta"],
        json!({
            "id": id_of("d1", PATIENT), "resourceType": "Patient", "resourceId": "p1", "versionId": "2",
            "lastUpdated": "2026-11-22T07:14:00.461000000Z", "correlationId": "r1", "datastoreId": "d1",
            "window": {"since": "2026-11-22T07:00:00Z", "until": "2026-11-22T08:00:00Z"}, "schemaVersion": "1.0",
        })
    );
}

#[test]
fn the_event_has_the_members_of_the_schema() {
    let schema = serde_json::to_value(schemars::schema_for!(FhirResourceChanged<'_>)).unwrap();
    let names = |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    let required = |schema: &Value| -> BTreeSet<String> {
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let bare = r#"{"resourceType":"Patient","id":"p1"}"#;
    for line in [PATIENT, bare] {
        let event: Value = serde_json::from_str(&detail_of(line)).unwrap();
        for (object, schema) in [(&event, &schema), (&event["meta"], &schema["$defs"]["ResourceMeta"])] {
            assert!(names(object).is_subset(&names(&schema["properties"])), "{object}");
            assert!(names(object).is_superset(&required(schema)), "{object}");
        }
    }
}

#[test]
fn an_event_that_refers_to_s3_has_the_same_meta_and_no_resource() {
    let resource = ExportedResource::read(PATIENT.as_bytes()).unwrap();
    let data_ref = DataRef { bucket: "claim-check".to_owned(), key: "fhir/1.json".to_owned(), bytes: 7 };
    let mut detail = String::new();
    EventWriter::of(&run_of("d1")).write_referring(&resource, &data_ref, &mut detail).unwrap();
    let referring: FhirResourceChanged<'_> = serde_json::from_str(&detail).unwrap();
    let whole = detail_of(PATIENT);
    let whole: FhirResourceChanged<'_> = serde_json::from_str(&whole).unwrap();
    assert_eq!(referring.meta, whole.meta);
    assert!(referring.fhir.is_none());
    let bytes = json!({"bucket": "claim-check", "key": "fhir/1.json", "bytes": 7});
    assert_eq!(serde_json::to_value(referring.data_ref).unwrap(), bytes);
}

#[test]
fn i2_the_id_is_known_and_every_part_of_a_version_counts() {
    let version = |id, version, updated| patient(id, &json!({"versionId": version, "lastUpdated": updated}));
    let line = version("p1", "2", "2026-11-22T07:14:00.461Z");
    // 32 digits of the SHA-256 of "resource" and of each part behind its length in eight bytes.
    assert_eq!(id_of("d1", &line).as_str(), "1ee840a103986fead809f0cf2a92e9fe");
    let others = [
        id_of("d2", &line),
        id_of("d1", &line.replace("Patient", "Group")),
        id_of("d1", &version("p2", "2", "2026-11-22T07:14:00.461Z")),
        id_of("d1", &version("p1", "3", "2026-11-22T07:14:00.461Z")),
        id_of("d1", &version("p1", "2", "2026-11-22T07:14:00.462Z")),
        // Where one part ends and the next begins counts too.
        id_of("d1", &version("p12", "", "2026-11-22T07:14:00.461Z")),
    ];
    let distinct: BTreeSet<ChangeId> = others.into_iter().chain([id_of("d1", &line)]).collect();
    assert_eq!(distinct.len(), 7);
}

#[test]
fn i2_a_version_keeps_its_id_whatever_else_its_line_holds() {
    let moved = r#"{"meta":{"lastUpdated":"2026-11-22T07:14:00.461Z","versionId":"2"},"id":"p1","resourceType":"Patient"}"#;
    assert_eq!(id_of("d1", PATIENT), id_of("d1", moved));
}

#[test]
fn i2_a_resource_that_does_not_tell_its_version_is_known_by_its_line() {
    let metas = [
        json!({}),
        json!({"versionId": "2"}),
        json!({"lastUpdated": "2026-11-22T07:14:00Z"}),
        json!({"versionId": "", "lastUpdated": "2026-11-22T07:14:00Z"}),
        json!({"versionId": "not an id", "lastUpdated": "2026-11-22T07:14:00Z"}),
    ];
    let mut ids = BTreeSet::new();
    for meta in &metas {
        let line = patient("p1", meta);
        assert_eq!(id_of("d1", &line), id_of("d1", &format!("{line}\r")), "{meta}");
        assert_ne!(id_of("d1", &line), id_of("d2", &line), "{meta}");
        assert_ne!(id_of("d1", &line), id_of("d1", &line.replace(r#""id":"#, r#""id": "#)), "{meta}");
        ids.insert(id_of("d1", &line));
    }
    ids.insert(id_of("d1", r#"{"resourceType":"Patient","id":"p1"}"#));
    assert_eq!(ids.len(), metas.len() + 1);
}

#[test]
fn last_updated_is_in_utc_with_nine_digits_so_that_text_order_is_time_order() {
    let cases = [
        ("2026-11-22T07:14:00Z", Some("2026-11-22T07:14:00.000000000Z")),
        ("2026-11-22T07:14:00+00:00", Some("2026-11-22T07:14:00.000000000Z")),
        ("2026-11-22T07:14:00.461+02:00", Some("2026-11-22T05:14:00.461000000Z")),
        ("2026-11-22T23:30:00-05:30", Some("2026-11-23T05:00:00.000000000Z")),
        ("2026-11-22T07:14:00.123456789Z", Some("2026-11-22T07:14:00.123456789Z")),
        ("2026-11-22", None),
        ("yesterday", None),
        ("", None),
    ];
    for (text, expected) in cases {
        let line = patient("p1", &json!({"versionId": "1", "lastUpdated": text}));
        let event: Value = serde_json::from_str(&detail_of(&line)).unwrap();
        assert_eq!(event["meta"].get("lastUpdated").and_then(Value::as_str), expected, "{text}");
        assert_eq!(event["fhir"]["meta"]["lastUpdated"], text);
    }
}

#[test]
fn i3_what_is_no_resource_is_told_with_its_reason() {
    use LineReject::{LineNotJson, LineNotResource, LineNotUtf8};
    let with_id = |id: &str| format!(r#"{{"resourceType":"Patient","id":{id}}}"#).into_bytes();
    let with_type = |name: &str| format!(r#"{{"id":"p1","resourceType":{name}}}"#).into_bytes();
    let with_meta =
        |meta: &str| format!(r#"{{"resourceType":"Patient","id":"p1","meta":{meta}}}"#).into_bytes();
    let text = |text: &str| text.as_bytes().to_vec();
    let long = format!(r#""{}""#, "a".repeat(65));
    let cases = [
        (b"{\"resourceType\":\"Patient\",\"id\":\"p1\",\"a\":\"\xe9\"}".to_vec(), LineNotUtf8),
        (b"\xff".to_vec(), LineNotUtf8),
        (b"{\"resourceType\":\"Patient\",\"id\":\"p1\",\"a\":\"\xed\xa0\x80\"}".to_vec(), LineNotUtf8),
        (text("Patient"), LineNotJson),
        (text(r#"{"resourceType":"Patient","id":"p1""#), LineNotJson),
        (text(r#"{"resourceType":"Patient","id":"p1","a":"#), LineNotJson),
        (text(r#"{"resourceType":"Patient","id":"p1","a":01}"#), LineNotJson),
        (text(r#"{"resourceType":"Patient","id":"p1","a":NaN}"#), LineNotJson),
        (text(r#"{"resourceType":"Patient","id":"p1","a":"\x"}"#), LineNotJson),
        (text("{\"resourceType\":\"Patient\",\"id\":\"p1\",\"a\":\"\u{1}\"}"), LineNotJson),
        (text("\u{feff}{\"resourceType\":\"Patient\",\"id\":\"p1\"}"), LineNotJson),
        (text(r#"{"resourceType":"Patient","id":"p1"}{"resourceType":"Patient","id":"p2"}"#), LineNotJson),
        (text(r#"{"resourceType":"Patient","id":"p1"},"#), LineNotJson),
        (text("{}"), LineNotResource),
        (text("[]"), LineNotResource),
        (text(r#"["Patient","p1"]"#), LineNotResource),
        (text(r#"["Patient","p1",{"versionId":"1"}]"#), LineNotResource),
        (text(r#"[{"resourceType":"Patient","id":"p1"}]"#), LineNotResource),
        (text("null"), LineNotResource),
        (text(r#""Patient""#), LineNotResource),
        (text("1.5"), LineNotResource),
        (text(r#"{"id":"p1"}"#), LineNotResource),
        (text(r#"{"resourceType":"Patient"}"#), LineNotResource),
        (with_type(r#""""#), LineNotResource),
        (with_type(r#""patient""#), LineNotResource),
        (with_type(r#""Pat ient""#), LineNotResource),
        (with_type(r#""Pat\"ient""#), LineNotResource),
        (with_type(r#""Pätient""#), LineNotResource),
        (with_type(&long.to_uppercase()), LineNotResource),
        (with_type("1"), LineNotResource),
        (with_type("null"), LineNotResource),
        (with_id(r#""""#), LineNotResource),
        (with_id(r#""a_b""#), LineNotResource),
        (with_id(r#""a/b""#), LineNotResource),
        (with_id(r#""a b""#), LineNotResource),
        (with_id(r#""a\"b""#), LineNotResource),
        (with_id(r#""é""#), LineNotResource),
        (with_id(&long), LineNotResource),
        (with_id("1"), LineNotResource),
        (with_id("null"), LineNotResource),
        (with_id(r#"["p1"]"#), LineNotResource),
        (with_id(r#""p1","id":"p1""#), LineNotResource),
        (with_id(r#""p1","\u0069d":"p2""#), LineNotResource),
        (with_type(r#""Patient","resourceType":"Group""#), LineNotResource),
        (with_meta(r#"{},"meta":{}"#), LineNotResource),
        (with_meta(r#"{"versionId":"1","versionId":"2"}"#), LineNotResource),
        (with_meta(r#"{"versionId":1}"#), LineNotResource),
        (with_meta("null"), LineNotResource),
        (with_meta(r#""1""#), LineNotResource),
    ];
    for (line, reason) in cases {
        let name = String::from_utf8_lossy(&line).into_owned();
        assert_eq!(ExportedResource::read(&line), Err(reason), "{name}");
    }
}

#[test]
fn names_that_fhir_allows_are_taken_however_they_are_written() {
    let id = "a.B-9".to_owned() + &"z".repeat(59);
    let cases = [
        (format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#), "Patient", id.as_str()),
        (r#"{"resourceType":"Pati\u0065nt","id":"p\u0031"}"#.to_owned(), "Patient", "p1"),
        (r#"{"resourceType":"X","id":"0"}"#.to_owned(), "X", "0"),
    ];
    for (line, resource_type, resource_id) in cases {
        let event: Value = serde_json::from_str(&detail_of(&line)).unwrap();
        assert_eq!(
            (&event["meta"]["resourceType"], &event["meta"]["resourceId"]),
            (&json!(resource_type), &json!(resource_id))
        );
    }
}

#[test]
fn the_code_of_a_reject_is_what_is_serialized() {
    use LineReject::{LineNotJson, LineNotResource, LineNotUtf8, LineTooLong};
    for reason in [LineNotUtf8, LineNotJson, LineNotResource, LineTooLong] {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
    }
}

fn dead_line(file: &str, offset: u64, reason: LineReject, line: Option<&[u8]>) -> DeadLine {
    let (datastore, run) = (DatastoreId("d1".to_owned()), RunId("r1".to_owned()));
    DeadLine::new(
        datastore,
        run,
        reason,
        file,
        offset,
        line.map_or(9_000_000, |line| line.len() as u64),
        line,
    )
}

#[test]
fn i1_a_dead_line_keeps_every_byte_that_can_be_held() {
    let cases: [(LineReject, Option<&[u8]>, Value); 4] = [
        (LineReject::LineNotJson, Some("Ngozi é\r".as_bytes()), json!({"bytes": 9, "line": "Ngozi é\r"})),
        (LineReject::LineNotUtf8, Some(b"\x00\xff\x1a"), json!({"bytes": 3, "lineHex": "00ff1a"})),
        (LineReject::LineNotJson, Some(b""), json!({"bytes": 0, "line": ""})),
        (LineReject::LineTooLong, None, json!({"bytes": 9_000_000})),
    ];
    for (reason, line, expected) in cases {
        let dead = dead_line("exports/a.ndjson", 7, reason, line);
        let mut stored = serde_json::to_value(&dead).unwrap();
        assert_eq!(serde_json::from_value::<DeadLine>(stored.clone()).unwrap(), dead);
        let stored = stored.as_object_mut().unwrap();
        for (name, value) in [
            ("schemaVersion", json!("1.0")),
            ("datastoreId", json!("d1")),
            ("runId", json!("r1")),
            ("file", json!("exports/a.ndjson")),
            ("offset", json!(7)),
            ("reason", json!(reason.code())),
        ] {
            assert_eq!(stored.remove(name), Some(value), "{name}");
        }
        assert_eq!(Value::from(stored.clone()), expected);
    }
}

#[test]
fn i6_the_key_of_a_dead_line_follows_from_its_place_and_shows_nothing_of_it() {
    let key = |file: &str, offset, line: &[u8]| {
        dead_line(file, offset, LineReject::LineNotJson, Some(line)).object_key()
    };
    let one = key("exports/Patient/a.ndjson", 12, b"Ngozi");
    assert_eq!(one, key("exports/Patient/a.ndjson", 12, b"another"));
    assert_ne!(one, key("exports/Patient/a.ndjson", 13, b"Ngozi"));
    assert_ne!(one, key("exports/Patient/b.ndjson", 12, b"Ngozi"));
    assert_ne!(key("f1", 1, b""), key("f", 11, b""));
    let place = one.strip_prefix(&format!("{DEAD_PREFIX}lines/")).unwrap().strip_suffix(".json").unwrap();
    assert!(place.len() == 32 && place.bytes().all(|digit| digit.is_ascii_hexdigit()), "{one}");
}

fn whitespace() -> impl Strategy<Value = String> {
    "[ \t\r]{0,3}"
}

/// A JSON string, each letter as it is or as the escapes of its UTF-16 units.
fn json_string() -> impl Strategy<Value = String> {
    prop::collection::vec((any::<char>(), any::<bool>()), 0..8).prop_map(|letters| {
        let mut text = String::new();
        for (letter, is_escaped) in letters {
            if is_escaped {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(text, "\\u{unit:04x}").unwrap();
                }
            } else {
                let quoted = Value::from(letter.to_string()).to_string();
                text.push_str(&quoted[1..quoted.len() - 1]);
            }
        }
        format!("\"{text}\"")
    })
}

/// The text of any JSON value, in any layout.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        json_string(),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
        Just("true".to_owned()),
        Just("null".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let member = (json_string(), whitespace(), inner.clone(), whitespace())
            .prop_map(|(name, before, value, after)| format!("{name}{before}:{after}{value}"));
        prop_oneof![
            (prop::collection::vec(inner, 0..4), whitespace())
                .prop_map(|(list, space)| format!("[{space}{}]", list.join(&format!(",{space}")))),
            (prop::collection::vec(member, 0..4), whitespace())
                .prop_map(|(members, space)| format!("{{{}{space}}}", members.join(&format!("{space},")))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn i1_every_resource_goes_out_as_it_came(
        resource_type in "[A-Z][A-Za-z]{0,63}",
        id in "[A-Za-z0-9.-]{1,64}",
        version_id in "[A-Za-z0-9.-]{1,64}",
        others in prop::collection::vec(json_text(), 0..5),
        place in any::<prop::sample::Index>(),
        space in whitespace(),
    ) {
        let mut members: Vec<String> =
            others.iter().enumerate().map(|(number, text)| format!(r#""x{number}"{space}:{text}"#)).collect();
        for member in [
            format!(r#""resourceType"{space}:"{resource_type}""#),
            format!(r#""id":{space}"{id}""#),
            format!(r#""meta":{{"versionId":"{version_id}",{space}"lastUpdated":"2026-11-22T07:14:00Z"}}"#),
        ] {
            members.insert(place.index(members.len() + 1), member);
        }
        let line = format!("{{{space}{}{space}}}", members.join(&format!(",{space}")));
        let detail = detail_of(&line);
        assert_carries(&detail, &line);
        let event: FhirResourceChanged<'_> = serde_json::from_str(&detail).unwrap();
        prop_assert_eq!(event.meta.resource_type, resource_type);
        prop_assert_eq!(event.meta.resource_id, id);
        prop_assert_eq!(event.meta.version_id.as_deref(), Some(version_id.as_str()));
    }

    #[test]
    fn i3_no_line_is_too_strange_to_be_told_of(line in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(resource) = ExportedResource::read(&line) {
            prop_assert!(resource.line_bytes() <= line.len());
        }
        let dead = DeadLine::new(
            DatastoreId(String::new()), RunId(String::new()), LineReject::LineNotJson, "f", 0, 0, Some(&line),
        );
        let kept = match (&dead.line, &dead.line_hex) {
            (Some(text), None) => text.as_bytes().to_vec(),
            (None, Some(hex)) => {
                let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
                pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
            }
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(kept, line);
    }
}
