//! Functions that behave and functions that do not. The function is this test program itself, started again with the one
//! test in it that serves invocations.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use function_bench::services::AwsServices;
use function_bench::{Function, Process, Program};
use hyper::body::Bytes;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

/// Serves invocations where it is started as a function, and is nothing otherwise. What it does, the event says.
#[test]
fn serve() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(lambda_runtime::run(service_fn(serve_one))).unwrap();
    }
}

async fn serve_one(event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    let event = event.payload;
    match event["do"].as_str() {
        Some("fail") => Err("it is broken".into()),
        Some("exit") => {
            eprintln!("about to end");
            std::process::exit(3)
        }
        Some("hang") => std::future::pending().await,
        Some("spin") => {
            let process = Process::of(std::process::id())?;
            let until = process.cpu_time()? + Duration::from_millis(event["milliseconds"].as_u64().unwrap());
            while process.cpu_time()? < until {}
            Ok(Value::Null)
        }
        _ => Ok(event),
    }
}

fn program() -> Program {
    Program {
        path: std::env::current_exe().unwrap(),
        arguments: ["serve", "--exact", "--nocapture"].map(Into::into).into(),
        environment: Vec::new(),
        timeout: Duration::from_mins(1),
    }
}

async fn start(program: &Program) -> anyhow::Result<Function> {
    Function::start(program, Arc::new(AwsServices::default())).await
}

async fn start_of(script: &str) -> String {
    let arguments = vec!["-c".into(), script.into()];
    let error = start(&Program { path: "sh".into(), arguments, ..program() }).await.err().unwrap();
    error.to_string()
}

async fn error_of(function: &mut Function, event: Value) -> String {
    function.invoke(Bytes::from(event.to_string())).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_first_poll_ends_the_start() {
    let function = start(&program()).await.unwrap();
    let taken = function.start_taken();
    assert!(taken.cpu_time > Duration::ZERO && taken.wall_time > Duration::ZERO, "{taken:?}");
    assert!(taken.memory.now > 0 && taken.memory.now <= taken.memory.peak, "{taken:?}");
    function.kill().await.unwrap();
}

#[tokio::test]
async fn an_event_comes_and_goes_byte_for_byte() {
    let mut function = start(&program()).await.unwrap();
    let large = json!({"text": "x".repeat(5_900_000)}).to_string();
    for event in [r#"{"number":1}"#, &large, r#"{"number":2}"#] {
        let invocation = function.invoke(Bytes::from(event.to_owned())).await.unwrap();
        assert!(invocation.answer == event, "an answer of {} bytes", invocation.answer.len());
    }
    function.kill().await.unwrap();
}

#[tokio::test]
async fn an_invocation_is_charged_what_it_takes() {
    let mut function = start(&program()).await.unwrap();
    for milliseconds in [40, 5] {
        let event = json!({"do": "spin", "milliseconds": milliseconds}).to_string();
        let invocation = function.invoke(Bytes::from(event)).await.unwrap();
        let (least, most) = (Duration::from_millis(milliseconds), Duration::from_millis(milliseconds + 20));
        assert!((least..most).contains(&invocation.cpu_time), "{:?}", invocation.cpu_time);
        assert!(invocation.wall_time >= least, "{:?}", invocation.wall_time);
    }
    function.kill().await.unwrap();
}

#[tokio::test]
async fn an_error_is_reported() {
    let mut function = start(&program()).await.unwrap();
    let error = error_of(&mut function, json!({"do": "fail"})).await;
    assert!(error.contains("the function failed") && error.contains("it is broken"), "{error}");
}

#[tokio::test]
async fn the_end_of_a_function_is_reported_with_its_last_words() {
    let mut function = start(&program()).await.unwrap();
    let error = error_of(&mut function, json!({"do": "exit", "name": "secret"})).await;
    assert!(error.contains("ended with exit status: 3") && error.ends_with("about to end"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_function_that_does_not_answer_is_given_up() {
    let mut function = start(&Program { timeout: Duration::from_secs(1), ..program() }).await.unwrap();
    let error = error_of(&mut function, json!({"do": "hang"})).await;
    assert!(error.contains("did not answer within 1 s"), "{error}");
}

#[tokio::test]
async fn a_start_that_fails_is_reported() {
    let error = start_of("echo no module >&2; exit 7").await;
    assert!(error.contains("ended with exit status: 7") && error.ends_with("no module"), "{error}");
    let error = start_of("head -c 10000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1").await;
    assert!(error.ends_with("xend") && error.len() < 5_000, "{} bytes", error.len());
    let error = start(&Program { path: "no-such-program".into(), ..program() }).await.err().unwrap();
    assert_eq!(error.to_string(), "no-such-program does not start");
}

#[tokio::test]
async fn the_environment_is_what_lambda_gives_and_no_more() {
    let names = start_of("env | cut -d= -f1 | sort | tr '\\n' ' ' >&2; exit 1").await;
    let (_, names) = names.split_once("stderr: ").unwrap();
    let expected = [
        "AWS_ACCESS_KEY_ID",
        "AWS_ENDPOINT_URL",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "LAMBDA_TASK_ROOT",
        "PATH",
        "_HANDLER",
    ];
    // What a shell sets by itself.
    let names: Vec<&str> =
        names.split(' ').filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect();
    assert_eq!(names, expected);
}
