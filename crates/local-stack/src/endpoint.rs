//! How a client reaches the stack.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::config::Credentials;

/// MiniStack's own account and region.
pub const ACCOUNT: &str = "000000000000";
pub const REGION: &str = "us-east-1";

/// Where the parts of a stack listen, on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    pub stack: u16,
    pub healthlake: u16,
}

/// The variables that make any AWS client, CLI or SDK talk to the stack. The address is a number, not a name, because
/// the S3 clients then put the bucket into the path.
#[must_use]
pub fn environment(ports: Ports) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", url(ports.stack)),
        ("AWS_ENDPOINT_URL_HEALTHLAKE", url(ports.healthlake)),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

#[must_use]
pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Configuration for clients in this process, whatever its own environment says.
pub async fn sdk_config(port: u16) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .endpoint_url(url(port))
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new("local", "local", None, None, "the local stack"))
        .load()
        .await
}
