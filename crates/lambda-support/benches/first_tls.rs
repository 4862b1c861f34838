//! What TLS costs a function: CPU time of its process, in milliseconds, for the first connection, for a second, for a call
//! on a connection that is there, and for 1 MB sent and received on it.
//!
//! `cargo bench -p lambda-support --bench first_tls`; `-- --json FILE` writes it to a file, too. With `AWS_LC_SYS_NO_JITTER_ENTROPY=0` in the environment AWS-LC is built with
//! the source of entropy that docs/decisions/0034 leaves out.
//!
//! The process plays a server with a certificate of its own, and starts itself once more as the function, which is told to trust
//! that one by `SSL_CERT_FILE`. What the server does is not measured.
//!
//! With `SSL_CERT_FILE` the connector is the SDK's own, and not the one that `clients` makes of Amazon's roots. It is the same
//! but for the roots.

#![expect(clippy::print_stdout, reason = "prints what it measures")]
#![expect(clippy::unwrap_used, reason = "nothing to clean up")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::primitives::ByteStream;
use lambda_support::clients::sdk_config;
use nix::time::{ClockId, clock_gettime};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Map, Value};

const MEGABYTE: usize = 1_000_000;
const FUNCTION: &str = "--function";

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (mut is_function, mut json) = (false, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            FUNCTION => is_function = true,
            "--json" => json = Some(PathBuf::from(arguments.next().expect("--json needs a file"))),
            other => panic!("{other} is unknown; there is --json FILE"),
        }
    }
    if is_function {
        return function(json.as_deref());
    }
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certificate.pem");
    std::fs::write(&file, certificate.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || serve(&listener, &Arc::new(config)));

    let status = Command::new(std::env::current_exe().unwrap())
        .arg(FUNCTION)
        .args(json.iter().flat_map(|file| ["--json".as_ref(), file.as_os_str()]))
        .env("SSL_CERT_FILE", &file)
        .env_remove("SSL_CERT_DIR")
        .envs([("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")])
        .status()
        .unwrap();
    assert!(status.success(), "the function failed");
}

#[tokio::main(flavor = "current_thread")]
async fn function(json: Option<&Path>) {
    let (first, second) = (client().await, client().await);
    let mut members = Map::new();
    for (what, member, client, bytes) in [
        ("first connection", "firstConnectionMs", &first, 0),
        ("a call on it", "callMs", &first, 0),
        ("second connection", "secondConnectionMs", &second, 0),
        ("1 MB there and back", "megabyteMs", &first, MEGABYTE),
        ("1 MB there and back", "megabyteMs", &first, MEGABYTE),
    ] {
        let body = ByteStream::from(vec![b'x'; bytes]);
        let started = cpu_time();
        client.put_object().bucket("bucket").key("key").body(body).send().await.unwrap();
        let answer = client.get_object().bucket("bucket").key(bytes.to_string()).send().await.unwrap();
        let read = answer.body.collect().await.unwrap().into_bytes();
        let taken = cpu_time().saturating_sub(started);
        assert_eq!(read.len(), bytes);
        let milliseconds = taken.as_secs_f64() * 1e3;
        println!("{what}: {milliseconds:.2} ms");
        // Of the two of a megabyte the second is kept: its buffers are there.
        members.insert(member.to_owned(), milliseconds.into());
    }
    if let Some(file) = json {
        std::fs::write(file, Value::Object(members).to_string()).unwrap();
    }
}

/// With connections of its own.
async fn client() -> Client {
    let config = aws_sdk_s3::config::Builder::from(&sdk_config().await.unwrap())
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    Client::from_conf(config.build())
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap().into()
}

fn serve(listener: &TcpListener, config: &Arc<ServerConfig>) {
    for connection in listener.incoming() {
        let config = config.clone();
        std::thread::spawn(move || answer(connection.unwrap(), config));
    }
}

/// Takes what is put, and gives as many bytes as the key says.
fn answer(connection: TcpStream, config: Arc<ServerConfig>) {
    let tls = ServerConnection::new(config).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(tls, connection));
    loop {
        let mut head = String::new();
        // A client that ends does so without a word.
        while !head.ends_with("\r\n\r\n") {
            if !matches!(stream.read_line(&mut head), Ok(1..)) {
                return;
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or_default()];
        stream.read_exact(&mut body).unwrap();
        let key = head.split(['/', '?', ' ']).find_map(|part| part.parse::<usize>().ok());
        let bytes = if head.starts_with("GET") { key.unwrap_or_default() } else { 0 };
        let answer = stream.get_mut();
        write!(answer, "HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n").unwrap();
        answer.write_all(&vec![b'x'; bytes]).unwrap();
        answer.flush().unwrap();
    }
}
