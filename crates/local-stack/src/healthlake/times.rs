//! The times of HealthLake, and the forms in which it shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The present, `offset` milliseconds away from this machine's clock, in whole milliseconds: the unit of `lastUpdated`.
pub(crate) fn now(offset: i64) -> Timestamp {
    let milliseconds = Timestamp::now().as_millisecond().saturating_add(offset);
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}

/// RFC 3339 in UTC with milliseconds, as in `2023-08-26T13:49:03.424Z`.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// The forms in which the documents of HealthLake show when a job was submitted and when it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimeForm {
    /// `Apr 21, 2023 5:58:02 PM`, in UTC without saying so: the answers of the REST API (developer guide, "Exporting
    /// HealthLake data with FHIR `$export`").
    #[default]
    TwelveHours,
    /// `Apr 21, 2023 5:58:02` for the same time: the table of the same page. Half of the day cannot be told from the
    /// other half.
    WithoutHalfOfDay,
    /// `2024-11-20T16:31:46.672Z`: the examples of the CLI (with an offset there).
    Rfc3339,
    /// `1609175692.715`, a number: the JSON API, and an older example of the CLI.
    EpochSeconds,
}

impl TimeForm {
    pub(crate) fn json(self, time: Timestamp) -> Value {
        match self {
            Self::TwelveHours => json!(time.strftime("%b %-d, %Y %-I:%M:%S %p").to_string()),
            Self::WithoutHalfOfDay => json!(time.strftime("%b %-d, %Y %-I:%M:%S").to_string()),
            Self::Rfc3339 => json!(rfc3339(time)),
            Self::EpochSeconds => json!(epoch_seconds(time)),
        }
    }
}

/// The JSON protocol of AWS gives times as seconds since 1970 with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 have 13 digits, of which f64 keeps 15"
)]
fn epoch_seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

/// The inverse, for the times of a request.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a number beyond i64 becomes its end, which no timestamp is"
)]
pub(crate) fn from_epoch_seconds(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_each_documented_form() {
        let cases = [
            ("2023-04-21T17:58:02.123Z", TimeForm::TwelveHours, json!("Apr 21, 2023 5:58:02 PM")),
            ("2023-08-06T00:08:25Z", TimeForm::TwelveHours, json!("Aug 6, 2023 12:08:25 AM")),
            ("2023-04-21T17:58:02.123Z", TimeForm::WithoutHalfOfDay, json!("Apr 21, 2023 5:58:02")),
            ("2023-04-21T17:58:02.120Z", TimeForm::Rfc3339, json!("2023-04-21T17:58:02.120Z")),
            ("2020-12-28T17:14:52.715Z", TimeForm::EpochSeconds, json!(1_609_175_692.715)),
        ];
        for (time, form, expected) in cases {
            assert_eq!(form.json(time.parse().unwrap()), expected, "{time} {form:?}");
        }
    }

    #[test]
    fn the_clock_has_milliseconds_and_an_offset() {
        let time = now(-60_000);
        assert_eq!(time.subsec_nanosecond() % 1_000_000, 0);
        let behind = Timestamp::now().as_millisecond() - time.as_millisecond();
        assert!((60_000..60_500).contains(&behind), "{behind}");
    }

    #[test]
    fn epoch_seconds_keep_their_milliseconds() {
        let time: Timestamp = "2026-11-22T07:14:00.007Z".parse().unwrap();
        assert_eq!(from_epoch_seconds(epoch_seconds(time)), Some(time));
        assert_eq!(from_epoch_seconds(f64::MAX), None);
    }
}
