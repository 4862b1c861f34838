//! How far each shard has been read for each consumer, on disk.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};

/// One file per consumer and shard, holding the sequence number of the last record that is done with.
#[derive(Clone)]
pub(crate) struct Checkpoints {
    folder: Arc<PathBuf>,
}

impl Checkpoints {
    pub(crate) fn open(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { folder: Arc::new(folder) })
    }

    pub(crate) fn read(&self, consumer: &str, shard: &str) -> Result<Option<String>> {
        let path = self.path(consumer, shard);
        match fs::read_to_string(&path) {
            Ok(sequence_number) => Ok(Some(sequence_number)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Renamed into place, so that a kill leaves the old checkpoint or the new one.
    pub(crate) fn write(&self, consumer: &str, shard: &str, sequence_number: &str) -> Result<()> {
        let path = self.path(consumer, shard);
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, sequence_number)
            .and_then(|()| fs::rename(&unfinished, &path))
            .with_context(|| format!("writing {}", path.display()))
    }

    fn path(&self, consumer: &str, shard: &str) -> PathBuf {
        self.folder.join(format!("{consumer}-{shard}.checkpoint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_there_after_the_process_that_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Checkpoints::open(folder.path().join("checkpoints")).unwrap();
        assert_eq!(open().read("pipe", "shard-1").unwrap(), None);
        open().write("pipe", "shard-1", "41").unwrap();
        open().write("pipe", "shard-1", "42").unwrap();
        assert_eq!(open().read("pipe", "shard-1").unwrap().as_deref(), Some("42"));
        assert_eq!(open().read("pipe", "shard-2").unwrap(), None);
    }
}
