//! What all AWS clients share: built once, when the function starts.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// A call that hangs is tried again while there is time: the slowest healthy call, a `PutObject` of 6 MB, takes well
/// under a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 4;

/// For clients that invoke functions and wait for the answer: a function may take as long as its own timeout, and an attempt
/// that is given up here would still run there.
#[must_use]
pub fn without_timeouts(sdk: &SdkConfig) -> SdkConfig {
    sdk.to_builder().timeout_config(TimeoutConfig::disabled()).build()
}

/// Region, credentials and endpoint from the environment, as the SDKs define them.
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        )
        .load()
        .await
}
