//! Patients for the table, each a new one: no write waits for another of its key.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use serde_json::{Map, Value, json};

use crate::deployment::Deployment;
use crate::plain_json::to_item;

/// The detail type of their changes, which is the name of their queue too.
pub const DETAIL_TYPE: &str = "PatientChange";

/// Where the patients are written to.
#[derive(Clone)]
pub struct Patients {
    client: Client,
    table: String,
}

impl Patients {
    /// # Errors
    /// Where the deployment has no table.
    pub fn of(deployment: &Deployment) -> Result<Self> {
        let table = deployment.output("ItemsTableName")?.to_owned();
        Ok(Self { client: Client::new(&deployment.config), table })
    }

    /// Writes the patient of a number, which becomes one stream record.
    ///
    /// # Errors
    /// Where the table refuses it.
    pub async fn put(&self, number: usize) -> Result<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(to_item(patient(number))));
        put.send().await.context("PutItem")?;
        Ok(())
    }
}

/// The `id` of the patient of a number.
#[must_use]
pub fn id(number: usize) -> String {
    format!("PATIENT#{number}")
}

/// About 700 bytes of JSON, every attribute that becomes a member of the FHIR resource among them.
fn patient(number: usize) -> Map<String, Value> {
    let id = id(number);
    let members = json!({
        "id": id, "sk": id, "itemType": "Patient", "active": true, "gender": "female", "birthDate": "1974-12-25",
        "mrn": {"system": "urn:example:mrn", "value": format!("{number:06}")},
        "names": [
            {"use": "official", "family": "O'Sample-Ünal", "given": ["Zoë", "Pippa"]},
            {"use": "maiden", "family": "Nguyễn", "given": ["Zoë"]},
        ],
        "telecom": [
            {"system": "phone", "value": format!("555-{:04}", number % 10_000), "use": "home"},
            {"system": "email", "value": format!("patient-{number}@example.org"), "use": "work"},
        ],
    });
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
