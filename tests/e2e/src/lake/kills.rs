//! Functions that are killed while they work.

use std::time::Duration;

use anyhow::{Result, bail};
use demo::lake::invoke;
use fastrand::Rng;
use serde_json::Value;
use tokio::time::sleep;

use super::LakeScenario;

const ATTEMPTS: usize = 40;

impl LakeScenario {
    /// Calls a function and kills its processes soon after, until one dies with the call unanswered. Whatever else they were
    /// working on dies too.
    ///
    /// # Errors
    /// Where the function always answers before.
    pub async fn kill_at_work(
        &self,
        function: &str,
        longest: Duration,
        random: &mut Rng,
        mut event: impl FnMut(&mut Rng) -> Value,
    ) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let event = event(random);
            let pause = longest.mul_f64(random.f64());
            let (answer, killed) = tokio::join!(invoke(&self.lake.lambda, function, &event), async {
                sleep(pause).await;
                self.scenario.kill(function)
            });
            if killed? > 0 && answer.is_err() {
                return Ok(());
            }
        }
        bail!("{function} could not be killed at work")
    }
}
