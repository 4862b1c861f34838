//! Where a process keeps the rows that do not fit into its memory.

use std::fs::{self, DirEntry};
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

/// A folder of this process alone, and empty. A process that was killed may have left files in the storage that the next one
/// gets; on Lambda it is one process's at a time, on the local stack that of all.
pub fn folder(temporary: impl AsRef<Path>, process: u32) -> Result<PathBuf> {
    let of_all = temporary.as_ref().join("lake-compactor");
    let own = of_all.join(process.to_string());
    fs::create_dir_all(&of_all)?;
    for left in fs::read_dir(&of_all)? {
        let left = left?;
        if left.path() == own || !is_alive(&left) {
            match fs::remove_dir_all(left.path()) {
                // Another process was quicker.
                Err(error) if error.kind() == ErrorKind::NotFound => (),
                removed => removed?,
            }
        }
    }
    fs::create_dir(&own)?;
    Ok(own)
}

fn is_alive(folder: &DirEntry) -> bool {
    Path::new("/proc").join(folder.file_name()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dead_processes_left_is_removed_and_nothing_else() {
        let temporary = tempfile::tempdir().unwrap();
        let alive = std::process::id();
        let left = |process: u32| temporary.path().join(format!("lake-compactor/{process}/rows"));
        for process in [u32::MAX, alive, 1] {
            fs::create_dir_all(left(process)).unwrap();
        }
        let own = folder(temporary.path(), alive).unwrap();
        assert!(!left(u32::MAX).exists() && left(1).exists());
        assert_eq!(fs::read_dir(own).unwrap().count(), 0);
    }
}
