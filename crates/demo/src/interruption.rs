//! Programs that start a stack end it when they are interrupted, too.

use std::process::ExitCode;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a program until it ends, or until Ctrl-C, SIGTERM or the end of its terminal. What it started ends with the future
/// that holds it. The exit code of a signal is 128 and its number, as of a shell.
///
/// # Errors
/// The program's own.
pub async fn until_interrupted(program: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        ended = program => ended,
        _ = interrupt.recv() => Ok(ExitCode::from(130)),
        _ = terminate.recv() => Ok(ExitCode::from(143)),
        _ = hang_up.recv() => Ok(ExitCode::from(129)),
    }
}

/// [`until_interrupted`], for a `main`: says what went wrong.
pub async fn exit_code(program: impl Future<Output = Result<ExitCode>>) -> ExitCode {
    // On the heap, because it holds a whole stack.
    until_interrupted(Box::pin(program)).await.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::{Signal, raise};
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_signal_ends_the_program_and_what_it_holds() {
        for (sent, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
            let (held, mut ended) = oneshot::channel::<()>();
            let program = async move {
                raise(sent)?;
                let _held = held;
                std::future::pending().await
            };
            assert_eq!(until_interrupted(program).await.unwrap(), ExitCode::from(code), "{sent}");
            assert_eq!(ended.try_recv(), Err(oneshot::error::TryRecvError::Closed), "{sent}");
        }
    }

    #[tokio::test]
    async fn a_program_that_ends_by_itself_says_how() {
        let ended = until_interrupted(async { Ok(ExitCode::from(7)) }).await;
        assert_eq!(ended.unwrap(), ExitCode::from(7));
    }
}
