//! The processes in which a stack runs its functions.

use std::fs;

use anyhow::Result;
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
}
