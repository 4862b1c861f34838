//! `schemas/`, generated from the Rust types.

use std::fs;

use anyhow::{Context, Result};

use crate::repository::Repository;

pub fn write(repository: &Repository) -> Result<()> {
    let folder = repository.path("schemas");
    fs::create_dir_all(&folder)?;
    for (name, json) in domain::schemas::files() {
        let path = folder.join(&name);
        fs::write(&path, json).with_context(|| format!("writing {}", path.display()))?;
        println!("schemas/{name}");
    }
    Ok(())
}
