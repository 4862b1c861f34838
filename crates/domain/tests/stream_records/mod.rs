//! Records, read as the functions read them.

use domain::change::{Reject, StreamRecord};
use serde_json::value::RawValue;

/// What the parser reads of a record, after the batch of this one was found to be read alike: there, what is usual is read
/// without a parser.
pub fn read(json: &str) -> Result<StreamRecord<'_>, Reject> {
    let parsed = StreamRecord::decode(json);
    if serde_json::from_str::<&RawValue>(json).is_ok() {
        let batch = format!("[{json}]");
        let batch: &RawValue = serde_json::from_str(&batch).expect("an array");
        let of_batch = StreamRecord::read_batch(batch).expect("an array");
        assert_eq!(of_batch, std::slice::from_ref(&parsed), "{json}");
    }
    parsed
}
