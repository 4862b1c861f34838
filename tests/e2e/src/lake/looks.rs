//! A reader that polls while a scenario runs.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use demo::lake::{Engine, Lake, Look, Order, Watch};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// So that it leaves the most of two processors to the others.
const PAUSE: Duration = Duration::from_secs(2);

/// Looks at the lake until they are ended. The first that misses a row or sees one twice ends them too.
pub struct Looks {
    task: JoinHandle<Result<Vec<Look>>>,
    end: Sender<bool>,
    changes: Receiver<usize>,
}

impl Looks {
    /// # Errors
    /// Where the reader cannot be started.
    pub fn start(lake: &Lake) -> Result<Self> {
        let watch = lake.reader.watch(PAUSE)?;
        let (end, ended) = channel(false);
        let (count, changes) = channel(0);
        Ok(Self { task: tokio::spawn(look(watch, ended, count)), end, changes })
    }

    /// Waits until a look sees as many changes.
    ///
    /// # Errors
    /// Where none does within the limit, or a look was broken.
    pub async fn until_changes(&mut self, changes: usize, limit: Duration) -> Result<()> {
        let reached = timeout(limit, self.changes.wait_for(|seen| *seen >= changes)).await;
        match reached.map(|seen| seen.is_ok()) {
            Ok(true) => Ok(()),
            // Its own error says more.
            Ok(false) => match (&mut self.task).await? {
                Ok(_) => bail!("the reader has ended"),
                Err(error) => Err(error),
            },
            Err(_) => {
                bail!("{} of {changes} changes are in the lake after {limit:?}", *self.changes.borrow())
            }
        }
    }

    /// Ends the reader, and tells how often it has looked in each way.
    ///
    /// # Errors
    /// Where it has missed a row, or seen one twice.
    pub async fn end(self) -> Result<BTreeMap<(Engine, Order), usize>> {
        self.end.send_replace(true);
        let mut ways = BTreeMap::new();
        for look in self.task.await?? {
            *ways.entry((look.reader, look.order)).or_default() += 1;
        }
        Ok(ways)
    }
}

async fn look(mut watch: Watch, mut ended: Receiver<bool>, count: Sender<usize>) -> Result<Vec<Look>> {
    let mut looks: Vec<Look> = Vec::new();
    loop {
        tokio::select! {
            look = watch.next() => match look? {
                Some(look) => {
                    let broken = look.missing + look.doubled + look.items_behind + look.items_doubled;
                    ensure!(broken == 0, "look {} of the reader: {look:?}", looks.len() + 1);
                    count.send_replace(look.changes);
                    looks.push(look);
                }
                None => return Ok(looks),
            },
            _ = ended.wait_for(|ended| *ended), if !*ended.borrow() => watch.stop(),
        }
    }
}
