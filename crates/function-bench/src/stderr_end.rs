//! The end of what a function writes to its standard error.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const BYTES: usize = 4 * 1024;
/// Longer than reading what an ended process has left in the pipe. A process that it started may hold the pipe open.
const READ_WITHIN: Duration = Duration::from_secs(1);

pub(crate) struct StderrEnd {
    end: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl StderrEnd {
    pub(crate) fn of(mut stderr: ChildStderr) -> Self {
        let end = Arc::new(Mutex::new(Vec::new()));
        let shared = end.clone();
        let reading = tokio::spawn(async move {
            let mut piece = [0; BYTES];
            while let Ok(bytes @ 1..) = stderr.read(&mut piece).await {
                let mut end = shared.lock().unwrap_or_else(PoisonError::into_inner);
                end.extend(piece.iter().take(bytes));
                let surplus = end.len().saturating_sub(BYTES);
                end.drain(..surplus);
            }
        });
        Self { end, reading }
    }

    /// Of a process that has ended.
    pub(crate) async fn text(&mut self) -> String {
        drop(timeout(READ_WITHIN, &mut self.reading).await);
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&end).trim().to_owned()
    }
}
