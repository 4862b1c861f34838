//! What all AWS clients share: built once, when the function starts.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector, HttpClientError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

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

/// Region, endpoint and proxy from the environment, as the SDKs define them, and the credentials that Lambda puts there (AWS
/// Lambda developer guide, "Working with Lambda environment variables"): no other source is asked, or prepared to be.
///
/// # Errors
/// Where the certificate authorities cannot be used: a function that does not know whom to trust does not start.
pub async fn sdk_config() -> Result<SdkConfig, HttpClientError> {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        );
    if let Some(roots) = certificate_authorities() {
        loader = loader.http_client(https_trusting(roots)?);
    }
    Ok(loader.load().await)
}

/// Whom a client of AWS trusts, as PEM; `None` where the environment names others, which a client then finds by itself.
#[must_use]
pub fn certificate_authorities() -> Option<&'static [u8]> {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    (!CERTIFICATE_VARIABLES.iter().any(is_set)).then_some(AMAZON_TRUST_SERVICES)
}

/// What patients' data go to is AWS: of the hundred and more authorities of a system none else can vouch for an endpoint. And
/// reading those was three quarters of a function's start (docs/decisions/0033). The rest is the SDK's own client.
fn https_trusting(roots: &[u8]) -> Result<SharedHttpClient, HttpClientError> {
    let roots = TrustStore::empty().with_pem_certificate(roots);
    let tls = TlsContext::builder().with_trust_store(roots).build()?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector =
            Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    }))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    /// SHA-256 of the certificates, as amazontrust.com/repository lists them.
    const FINGERPRINTS: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn those_that_are_trusted_are_amazons_five_roots() {
        let pem = std::str::from_utf8(AMAZON_TRUST_SERVICES).unwrap();
        let fingerprint = |certificate: &str| {
            let (body, _) = certificate.split_once("-----END CERTIFICATE-----").unwrap();
            let der = BASE64_STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap();
            Sha256::digest(der).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
        };
        let found: Vec<String> = pem.split("-----BEGIN CERTIFICATE-----").skip(1).map(fingerprint).collect();
        assert_eq!(found, FINGERPRINTS);
    }

    /// The roots are read when the first client is made, and one that cannot be read ends the process.
    #[tokio::test]
    async fn clients_can_be_made_of_them() {
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(https_trusting(AMAZON_TRUST_SERVICES).unwrap())
            .build();
        drop(aws_sdk_sqs::Client::new(&sdk));
    }
}
