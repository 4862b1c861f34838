//! Clients behind a proxy. What the environment says is read by a process of its own: this one, started once more.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use lambda_support::clients::sdk_config;

/// Says to a process that it is the function.
const FUNCTION: &str = "TRIBUTARY_TEST_FUNCTION";

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn a_proxy_is_found_in_the_environment() {
    if std::env::var_os(FUNCTION).is_some() {
        return call_a_service();
    }
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let (asked, first_line) = mpsc::channel();
    std::thread::spawn(move || {
        for connection in proxy.incoming() {
            let mut line = String::new();
            BufReader::new(connection.unwrap()).read_line(&mut line).unwrap();
            if asked.send(line).is_err() {
                return;
            }
        }
    });
    let mut function = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_proxy_is_found_in_the_environment"])
        .env(FUNCTION, "1")
        // A name that nothing answers to, should the proxy not be asked.
        .envs([("AWS_ENDPOINT_URL", "https://sqs.invalid"), ("HTTPS_PROXY", &address)])
        .envs([
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        // With these the client would be the SDK's own.
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR")
        .spawn()
        .unwrap();
    let line = first_line.recv_timeout(LIMIT);
    function.kill().unwrap();
    function.wait().unwrap();
    assert_eq!(line.as_deref().map(str::trim_end), Ok("CONNECT sqs.invalid:443 HTTP/1.1"));
}

/// The proxy answers nothing, so that the call fails; it is ended before that.
#[tokio::main(flavor = "current_thread")]
async fn call_a_service() {
    let client = Client::new(&sdk_config().await.unwrap());
    client.list_queues().send().await.unwrap();
}
