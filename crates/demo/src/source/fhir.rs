//! A folder of FHIR R4 resources (NDJSON, as a bulk export gives them), turned into items of the table.
//!
//! Patients, encounters, observations and related persons become items of the known types, with a patient's addresses
//! as items of their own. Every other resource becomes an item of its own type, which the code does not know: its
//! changes go out as `ItemChange`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::Write;

/// What was read.
pub struct FhirSource {
    /// The lines, as they are.
    pub resources: Vec<String>,
    pub writes: Vec<Write>,
}

/// Reads every `.ndjson` file of the folder.
///
/// # Errors
/// Where the folder holds none, or a line is no resource; the error names file and line.
pub fn read_folder(folder: &Path) -> Result<FhirSource> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("--data: the folder {} cannot be read", folder.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "ndjson"))
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("--data: the folder {} holds no .ndjson file", folder.display());
    }
    let mut source = FhirSource { resources: Vec::new(), writes: Vec::new() };
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let at = || format!("{}, line {}", file.display(), number + 1);
            let resource: Map<String, Value> =
                serde_json::from_str(line).with_context(|| format!("{} is no FHIR resource", at()))?;
            source.writes.extend(items_of(resource).with_context(at)?.into_iter().map(Write::Put));
            source.resources.push(line.to_owned());
        }
    }
    Ok(source)
}

fn items_of(mut resource: Map<String, Value>) -> Result<Vec<Map<String, Value>>> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
    let resource_type = text("resourceType").context("no resourceType")?;
    let id = text("id").context("no id")?;
    Ok(match resource_type.as_str() {
        "Patient" => patient_items(&mut resource, &id),
        "Encounter" => vec![encounter_item(&mut resource, &id)?],
        "Observation" => vec![observation_item(&mut resource, &id)?],
        "RelatedPerson" => vec![related_person_item(&mut resource, &id)?],
        _ => {
            let upper = resource_type.to_uppercase();
            let mut item = keyed(&format!("{upper}#{id}"), &format!("{upper}#{id}"), &resource_type);
            // `id` is the table's key; the resource's own stays in it as `resource.id`.
            item.insert("resource".to_owned(), Value::Object(resource));
            vec![item]
        }
    })
}

fn keyed(id: &str, sk: &str, item_type: &str) -> Map<String, Value> {
    let members = [("id", id), ("sk", sk), ("itemType", item_type)];
    members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// Moves members of the resource into the item: from the resource's name to the item's.
fn take(resource: &mut Map<String, Value>, item: &mut Map<String, Value>, names: &[(&str, &str)]) {
    for (from, to) in names {
        if let Some(value) = resource.remove(*from) {
            item.insert((*to).to_owned(), value);
        }
    }
}

fn patient_items(resource: &mut Map<String, Value>, id: &str) -> Vec<Map<String, Value>> {
    let key = format!("PATIENT#{id}");
    let mut patient = keyed(&key, &key, "Patient");
    take(
        resource,
        &mut patient,
        &[
            ("name", "names"),
            ("birthDate", "birthDate"),
            ("gender", "gender"),
            ("telecom", "telecom"),
            ("active", "active"),
        ],
    );
    take(resource, &mut patient, &[("deceasedBoolean", "deceased"), ("deceasedDateTime", "deceased")]);
    let is_medical_record_number =
        |identifier: &Value| identifier.pointer("/type/coding/0/code").and_then(Value::as_str) == Some("MR");
    let identifiers = match resource.remove("identifier") {
        Some(Value::Array(identifiers)) => identifiers,
        _ => Vec::new(),
    };
    let (numbers, others): (Vec<Value>, Vec<Value>) =
        identifiers.into_iter().partition(is_medical_record_number);
    if let Some(number) = numbers.into_iter().next() {
        patient.insert("mrn".to_owned(), identifier(&number));
    }
    patient.insert("identifiers".to_owned(), others.iter().map(identifier).collect());

    let addresses = match resource.remove("address") {
        Some(Value::Array(addresses)) => addresses,
        _ => Vec::new(),
    };
    let mut items = vec![patient];
    for (number, address) in addresses.into_iter().enumerate() {
        let mut item = keyed(&key, &format!("ADDRESS#{}", number + 1), "Address");
        if let Value::Object(mut address) = address {
            let same =
                ["use", "type", "line", "city", "district", "state", "postalCode", "country", "period"];
            take(&mut address, &mut item, &same.map(|name| (name, name)));
        }
        items.push(item);
    }
    items
}

fn identifier(identifier: &Value) -> Value {
    let text = |name: &str| identifier.get(name).cloned().unwrap_or_default();
    json!({"system": text("system"), "value": text("value")})
}

/// The key of the patient that a reference such as `Patient/1` or `urn:uuid:1` names.
fn patient_key(resource: &Map<String, Value>, member: &str) -> Result<String> {
    let reference = resource
        .get(member)
        .and_then(|subject| subject.get("reference"))
        .and_then(Value::as_str)
        .with_context(|| format!("no {member}.reference"))?;
    Ok(format!("PATIENT#{}", reference.rsplit(['/', ':']).next().unwrap_or(reference)))
}

fn encounter_item(resource: &mut Map<String, Value>, id: &str) -> Result<Map<String, Value>> {
    let mut item = keyed(&patient_key(resource, "subject")?, &format!("ENCOUNTER#{id}"), "Encounter");
    take(resource, &mut item, &[("status", "status"), ("class", "class"), ("period", "period")]);
    let types = resource.get("type").and_then(Value::as_array).map(|types| first_codings(types));
    item.insert("types".to_owned(), types.unwrap_or_default().into());
    Ok(item)
}

fn observation_item(resource: &mut Map<String, Value>, id: &str) -> Result<Map<String, Value>> {
    let mut item = keyed(&patient_key(resource, "subject")?, &format!("OBSERVATION#{id}"), "Observation");
    take(resource, &mut item, &[("status", "status"), ("effectiveDateTime", "effectiveDateTime")]);
    if let Some(Value::Object(mut quantity)) = resource.remove("valueQuantity") {
        take(&mut quantity, &mut item, &[("value", "value"), ("unit", "unit"), ("code", "unitCode")]);
    }
    let code = resource.get("code").and_then(|code| code.pointer("/coding/0")).cloned();
    item.insert("code".to_owned(), code.context("no code.coding")?);
    Ok(item)
}

fn related_person_item(resource: &mut Map<String, Value>, id: &str) -> Result<Map<String, Value>> {
    let mut item = keyed(&patient_key(resource, "patient")?, &format!("RELATEDPERSON#{id}"), "RelatedPerson");
    take(
        resource,
        &mut item,
        &[
            ("name", "names"),
            ("telecom", "telecom"),
            ("gender", "gender"),
            ("birthDate", "birthDate"),
            ("active", "active"),
        ],
    );
    let relationship =
        resource.get("relationship").and_then(|concepts| concepts.pointer("/0/coding/0")).cloned();
    if let Some(relationship) = relationship {
        item.insert("relationship".to_owned(), relationship);
    }
    Ok(item)
}

fn first_codings(concepts: &[Value]) -> Vec<Value> {
    concepts.iter().filter_map(|concept| concept.pointer("/coding/0").cloned()).collect()
}
