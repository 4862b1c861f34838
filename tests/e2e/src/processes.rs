//! The processes in which a stack runs its functions.

use std::fs;

use anyhow::Result;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::scenario::Scenario;

impl Scenario {
    /// The processes that run a function now.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub fn processes_of(&self, function: &str) -> Result<Vec<Pid>> {
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={function}");
        let endpoint = format!("AWS_ENDPOINT_URL=http://127.0.0.1:{}", self.stack.ports.stack);
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let Some(id) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
            let Ok(environment) = fs::read(path.join("environ")) else { continue };
            let has =
                |variable: &str| environment.split(|byte| *byte == 0).any(|set| set == variable.as_bytes());
            if has(&name) && has(&endpoint) {
                found.push(Pid::from_raw(id));
            }
        }
        Ok(found)
    }

    /// Kills the processes that run a function now. Tells how many.
    ///
    /// # Errors
    /// Where they cannot be listed or killed.
    pub fn kill(&self, function: &str) -> Result<usize> {
        let mut killed = 0;
        for process in self.processes_of(function)? {
            match kill(process, Signal::SIGKILL) {
                Ok(()) => killed += 1,
                // It has ended by itself.
                Err(Errno::ESRCH) => (),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(killed)
    }
}
