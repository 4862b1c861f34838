//! `schemas/` is what the Rust types say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn the_committed_schemas_have_not_drifted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let mut generated = BTreeSet::new();
    for (name, json) in domain::schemas::files() {
        let committed = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(committed == json, "schemas/{name} is not what the types say: run `cargo xtask schemas`");
        generated.insert(name);
    }
    let committed: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(committed, generated, "schemas/ holds a file that nothing generates");
}
