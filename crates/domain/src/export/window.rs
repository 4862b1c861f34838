//! The part of time that a run exports.
//!
//! The windows of a datastore tile: each begins where the last committed one ended, less the overlap. The end is chosen
//! before the job starts and is never sent to HealthLake, because an export gives current versions only: a resource that
//! is rewritten again and again would always lie after the end, and never be exported.

use jiff::{Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run is asked to do: the input of an execution. Nothing said means the changes since the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RunRequest {
    pub mode: Mode,
    /// Of a replay alone.
    pub since: Option<Timestamp>,
    /// Of a replay alone.
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What changed since the cursor, or everything where there is none; moves the cursor.
    #[default]
    Incremental,
    /// Everything; moves the cursor.
    Full,
    /// What changed in a window that an operator names; leaves the cursor where it is.
    Replay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// What is exported was modified then or later; everything, where this is absent. The overlap is in it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub since: Option<Timestamp>,
    /// The cursor that the run commits; of a replay, the last instant that is exported.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("only a replay takes since and until; the window of every other run follows from the cursor")]
    WindowWithoutReplay,
    #[error("a replay needs until: it exports what was modified up to then")]
    UntilMissing,
    #[error("a replay's since must be before its until")]
    Empty,
    #[error(
        "a replay's until must not be after the run's start: what is yet to change belongs to a later run"
    )]
    Future,
}

impl RunRequest {
    /// # Errors
    /// Where the request names a window that it may not have, or none that can be.
    pub fn window(
        &self,
        cursor: Option<Timestamp>,
        overlap_seconds: u32,
        started_at: Timestamp,
    ) -> Result<Window, WindowError> {
        match (self.mode, self.since, self.until) {
            (Mode::Incremental, None, None) => {
                let since = cursor.map(|cursor| {
                    cursor.checked_sub(i64::from(overlap_seconds).seconds()).unwrap_or(Timestamp::MIN)
                });
                Ok(Window { since, until: started_at })
            }
            (Mode::Full, None, None) => Ok(Window { since: None, until: started_at }),
            (Mode::Incremental | Mode::Full, ..) => Err(WindowError::WindowWithoutReplay),
            (Mode::Replay, _, None) => Err(WindowError::UntilMissing),
            (Mode::Replay, _, Some(until)) if until > started_at => Err(WindowError::Future),
            (Mode::Replay, Some(since), Some(until)) if since >= until => Err(WindowError::Empty),
            (Mode::Replay, since, Some(until)) => Ok(Window { since, until }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn request(mode: Mode, since: Option<i64>, until: Option<i64>) -> RunRequest {
        RunRequest { mode, since: since.map(at), until: until.map(at) }
    }

    #[test]
    fn i4_a_window_begins_at_the_cursor_less_the_overlap_and_ends_at_the_start() {
        use Mode::{Full, Incremental, Replay};
        let window = |since: Option<i64>, until| Ok(Window { since: since.map(at), until: at(until) });
        let cases = [
            ("the first run takes everything", Incremental, None, None, None, window(None, 1000)),
            ("the next begins at the cursor", Incremental, None, None, Some(500), window(Some(380), 1000)),
            ("a full run has no beginning", Full, None, None, Some(500), window(None, 1000)),
            ("a replay says both", Replay, Some(10), Some(20), Some(500), window(Some(10), 20)),
            ("a replay from the beginning", Replay, None, Some(20), None, window(None, 20)),
            ("until now", Replay, None, Some(1000), None, window(None, 1000)),
            ("no end", Replay, Some(10), None, None, Err(WindowError::UntilMissing)),
            ("an empty one", Replay, Some(20), Some(20), None, Err(WindowError::Empty)),
            ("in the future", Replay, Some(20), Some(1001), None, Err(WindowError::Future)),
            ("since alone", Incremental, Some(1), None, None, Err(WindowError::WindowWithoutReplay)),
            ("until alone", Full, None, Some(1), None, Err(WindowError::WindowWithoutReplay)),
        ];
        for (name, mode, since, until, cursor, expected) in cases {
            let found = request(mode, since, until).window(cursor.map(at), 120, at(1000));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn an_execution_without_input_asks_for_the_changes() {
        let request: RunRequest = serde_json::from_str("{}").expect("a request");
        assert_eq!(request, RunRequest::default());
        for wrong in
            [r#"{"mode":"everything"}"#, r#"{"untill":"2026-01-01T00:00:00Z"}"#, r#"{"since":"yesterday"}"#]
        {
            assert!(serde_json::from_str::<RunRequest>(wrong).is_err(), "{wrong}");
        }
    }
}
