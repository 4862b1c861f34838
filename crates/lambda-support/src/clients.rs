//! What all AWS clients share: built once, when the function starts.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

/// A call that hangs is tried again while there is time: the slowest healthy call, a `PutObject` of 6 MB, takes well
/// under a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 4;

/// The roots that AWS endpoints' certificates lead to (amazontrust.com/repository, which recommends to trust all five).
const AMAZON_TRUST_SERVICES: &[u8] = include_bytes!("amazon_trust_services.pem");
/// Who has an authority of his own between the functions and AWS names it here, as for OpenSSL.
const CERTIFICATE_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// For clients that invoke functions and wait for the answer: a function may take as long as its own timeout, and an attempt
/// that is given up here would still run there.
#[must_use]
pub fn without_timeouts(sdk: &SdkConfig) -> SdkConfig {
    sdk.to_builder().timeout_config(TimeoutConfig::disabled()).build()
}

/// Region and endpoint from the environment, as the SDKs define them, and the credentials that Lambda puts there (AWS Lambda
/// developer guide, "Working with Lambda environment variables"): no other source is asked, or prepared to be.
pub async fn sdk_config() -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        );
    let names_authorities = CERTIFICATE_VARIABLES.iter().any(|name| std::env::var_os(name).is_some());
    if !names_authorities && let Some(tls) = trust_in_amazon_alone() {
        let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls);
        loader = loader.http_client(https.build_https());
    }
    loader.load().await
}

/// What patients' data go to is AWS: of the hundred and more authorities of a system none else can vouch for an endpoint. And
/// reading those was three quarters of a function's start (docs/decisions/0033).
fn trust_in_amazon_alone() -> Option<TlsContext> {
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_TRUST_SERVICES);
    TlsContext::builder().with_trust_store(roots).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_of_amazon_are_a_trust_store() {
        assert!(trust_in_amazon_alone().is_some());
        let text = std::str::from_utf8(AMAZON_TRUST_SERVICES).unwrap();
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 5);
    }
}
