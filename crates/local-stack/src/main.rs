//! `local-stack`: starts the stack, or one of its parts.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use local_stack::stack::{StackOptions, supervise};
use local_stack::{endpoint, healthlake, runner};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
#[command(about = "AWS on one machine: MiniStack, and beside it what MiniStack lacks")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a stack until a signal, or the end of standard input
    Serve {
        /// Folder for logs, checkpoints and stack.json
        #[arg(long)]
        folder: PathBuf,
        /// Python interpreter that has MiniStack installed
        #[arg(long)]
        python: PathBuf,
        /// Start-up module that closes MiniStack's gaps
        #[arg(long)]
        start_up: PathBuf,
        /// Port on loopback; a free one if not given
        #[arg(long)]
        port: Option<u16>,
        /// Go on when standard input ends: for a stack that outlives the terminal that started it
        #[arg(long)]
        detached: bool,
    },
    /// Execute the pipes of a running stack, and the event source mappings of its DynamoDB streams
    ReadStreams {
        #[arg(long)]
        port: u16,
        /// Folder that remembers how far each has read
        #[arg(long)]
        checkpoints: PathBuf,
    },
    /// Stand in for HealthLake beside a running stack
    ServeHealthlake {
        #[arg(long)]
        port: u16,
        /// Port of the stack, for files and events
        #[arg(long)]
        stack_port: u16,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve { folder, python, start_up, port, detached } => {
            let options = StackOptions { folder, python, start_up, port };
            supervise(&options, stop_signal(detached)?).await
        }
        Command::ReadStreams { port, checkpoints } => {
            let config = endpoint::sdk_config(port).await;
            tokio::select! {
                ran = runner::run(&config, checkpoints) => ran,
                () = stop_signal(false)? => Ok(()),
            }
        }
        Command::ServeHealthlake { port, stack_port } => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                .await
                .with_context(|| format!("listening at port {port}"))?;
            tokio::select! {
                served = healthlake::serve(listener, stack_port) => served,
                () = stop_signal(false)? => Ok(()),
            }
        }
    }
}

/// Completes at SIGINT, SIGTERM or SIGHUP, and, unless detached, when standard input ends.
fn stop_signal(detached: bool) -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
            _ = hang_up.recv() => (),
            () = end_of_input(), if !detached => (),
        }
    })
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while matches!(input.read(&mut buffer).await, Ok(read) if read > 0) {}
}
