//! Generated writes: every item type, unknown ones too, with updates, removals and, where asked for, records that the
//! code cannot read until its configuration is mended.

use serde_json::{Map, Value, json};

use super::Write;

/// What to generate.
#[derive(Debug, Clone, Copy)]
pub struct Generated {
    /// How many writes.
    pub writes: usize,
    /// How many of a thousand writes store a code that is not FHIR's and not in the code maps.
    pub poison_per_mille: usize,
    /// The same seed gives the same writes.
    pub seed: u64,
}

/// The code of the poisoned writes. The code map `{"gender": {"w": "female"}}` mends them.
const LOCAL_CODE: &str = "w";

/// Names from several scripts: what is lost on the way is mostly lost where text is not ASCII.
const FAMILIES: [&str; 6] = ["Ó Dálaigh", "Nguyễn", "Söder \"Sam\"", "אלמוני", "Ωμέγα", "O'Sample-Ünal"];
const GIVEN: [&str; 6] = ["Zoë", "José", "عينة", "例子", "Pippa 🧬", "Back\\slash"];

#[must_use]
pub fn generate(generated: Generated) -> Vec<Write> {
    let mut random = fastrand::Rng::with_seed(generated.seed);
    let mut living: Vec<Map<String, Value>> = Vec::new();
    let mut patients = 0_usize;
    (0..generated.writes)
        .map(|number| {
            let poison = random.usize(0..1000) < generated.poison_per_mille;
            let choice = random.usize(0..100);
            if poison || living.is_empty() {
                patients += 1;
                return put(&mut living, patient(&mut random, patients, poison));
            }
            let at = random.usize(0..living.len());
            match choice {
                0..4 => remove(living.swap_remove(at)),
                4..25 => Write::Put(updated(&mut living[at], number)),
                25..45 => {
                    patients += 1;
                    put(&mut living, patient(&mut random, patients, false))
                }
                _ => {
                    let owner = format!("PATIENT#{}", random.usize(0..patients) + 1);
                    put(&mut living, part(&mut random, &owner, number, choice))
                }
            }
        })
        .collect()
}

fn put(living: &mut Vec<Map<String, Value>>, item: Map<String, Value>) -> Write {
    living.push(item.clone());
    Write::Put(item)
}

fn remove(item: Map<String, Value>) -> Write {
    let (id, sk) = Write::Put(item).key();
    Write::Remove { id, sk }
}

fn updated(item: &mut Map<String, Value>, number: usize) -> Map<String, Value> {
    item.insert("revision".to_owned(), number.into());
    item.clone()
}

fn patient(random: &mut fastrand::Rng, number: usize, poison: bool) -> Map<String, Value> {
    let key = format!("PATIENT#{number}");
    let gender = if poison { LOCAL_CODE } else { "female" };
    object(json!({
        "id": key, "sk": key, "itemType": "Patient", "active": true, "gender": gender,
        "mrn": {"system": "urn:example:mrn", "value": format!("{number:06}")},
        "names": [{"use": "official", "family": pick(random, &FAMILIES), "given": [pick(random, &GIVEN)]}],
        "birthDate": format!("19{:02}-{:02}-{:02}", random.u8(10..99), random.u8(1..13), random.u8(1..29)),
        "telecom": [{"system": "phone", "value": format!("(555) {:04}", random.u16(0..10_000)), "use": "home"}],
    }))
}

/// An item of a patient's collection, or one of a type that the code does not know.
fn part(random: &mut fastrand::Rng, owner: &str, number: usize, choice: usize) -> Map<String, Value> {
    object(match choice {
        45..60 => json!({
            "id": owner, "sk": format!("ADDRESS#{number}"), "itemType": "Address", "use": "home",
            "line": [format!("{} Sample Street", random.u16(1..999))], "city": "Exampleville", "postalCode": "00000",
        }),
        60..75 => json!({
            "id": owner, "sk": format!("ENCOUNTER#{number}"), "itemType": "Encounter", "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "period": {"start": "2026-11-22T07:14:00Z", "end": "2026-11-22T07:44:00+01:00"},
        }),
        75..90 => json!({
            "id": owner, "sk": format!("OBSERVATION#{number}"), "itemType": "Observation", "status": "final",
            "code": {"code": "8867-4", "display": "Heart rate"}, "effectiveDateTime": "2026-11-22T07:14:00Z",
            "value": f64::from(random.u16(400..1800)) / 10.0, "unit": "beats/minute", "unitCode": "/min",
        }),
        90..95 => json!({
            "id": owner, "sk": format!("RELATEDPERSON#{number}"), "itemType": "RelatedPerson",
            "relationship": {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"},
            "names": [{"family": pick(random, &FAMILIES), "given": [pick(random, &GIVEN)]}],
        }),
        _ => json!({
            "id": format!("CONSENT#{number}"), "sk": format!("CONSENT#{number}"), "itemType": "Consent",
            "scope": pick(random, &FAMILIES), "levels": [1, 2.5, null, true, {"nested": {}}],
        }),
    })
}

fn pick<'a>(random: &mut fastrand::Rng, from: &[&'a str; 6]) -> &'a str {
    from[random.usize(0..from.len())]
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_writes_are_as_many_as_asked_for_and_never_remove_what_is_not_there() {
        let writes = generate(Generated { writes: 5_000, poison_per_mille: 10, seed: 7 });
        assert_eq!(writes.len(), 5_000);
        let mut living = HashSet::new();
        let mut poisoned = 0;
        for write in &writes {
            match write {
                Write::Put(item) => {
                    poisoned += usize::from(item.get("gender").and_then(Value::as_str) == Some(LOCAL_CODE));
                    living.insert(write.key());
                }
                Write::Remove { .. } => assert!(living.remove(&write.key()), "{write:?}"),
            }
        }
        assert!((30..120).contains(&poisoned), "{poisoned}");
    }
}
