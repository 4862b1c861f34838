//! What the first TLS connection of a function costs, beside the second: CPU time of the process, in milliseconds.
//!
//! `cargo bench -p lambda-support --bench first_tls`, and the same with `AWS_LC_SYS_NO_JITTER_ENTROPY=0` in the environment, which
//! builds AWS-LC with the source of entropy that docs/decisions/0034 leaves out. The server takes connections and closes them: a
//! client has then drawn its random numbers and made its keys.

#![expect(clippy::print_stdout, reason = "prints what it measures")]
#![expect(clippy::unwrap_used, reason = "nothing to clean up")]

use std::net::TcpListener;
use std::time::Duration;

use aws_config::Region;
use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::SharedCredentialsProvider;
use lambda_support::clients::sdk_config;
use nix::time::{ClockId, clock_gettime};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(drop));

    let credentials = Credentials::new("local", "local", None, None, "this bench");
    let sdk = sdk_config()
        .await
        .unwrap()
        .to_builder()
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .build();
    let client = Client::new(&sdk);
    for which in ["first", "second", "third"] {
        let started = cpu_time();
        assert!(client.list_queues().send().await.is_err(), "the server closes what it accepts");
        println!("{which}: {:.2} ms", cpu_time().saturating_sub(started).as_secs_f64() * 1e3);
    }
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap().into()
}
