//! Where things are.

use std::path::{Path, PathBuf};

/// The checkout.
#[derive(Debug, Clone)]
pub struct Repository {
    pub root: PathBuf,
}

impl Repository {
    pub fn of_this_build() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned);
        Self { root: root.unwrap_or_default() }
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// What is installed; ignored by git.
    pub fn tools(&self) -> PathBuf {
        self.path(".tools")
    }

    /// A program of the Python environment.
    pub fn python_program(&self, name: &str) -> PathBuf {
        self.tools().join("python/bin").join(name)
    }

    /// A program of the bench's Python environment; Go's compiler comes with it.
    pub fn bench_program(&self, name: &str) -> PathBuf {
        self.tools().join("bench/bin").join(name)
    }

    /// Logs and state of what runs; ignored by git.
    pub fn local(&self) -> PathBuf {
        self.path(".local")
    }
}
