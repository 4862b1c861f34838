//! What the demo deploys, and `cargo xtask local up` too: nothing that one has to wait for.

use serde_json::{Value, json};

use crate::{export_demo, lake_demo};

#[must_use]
pub fn options() -> Value {
    json!({"datastores": export_demo::datastores(), "lake": lake_demo::lake()})
}
