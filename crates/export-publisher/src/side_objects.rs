//! What cannot go to the bus as it is: lines that are no resources, and events that are too large.

use domain::change::{ChangeId, DataRef};
use domain::export::dead_line::DeadLine;
use domain::export::failure::FailureCode;
use domain::export::manifest::Range;
use domain::export::resource::LineReject;
use domain::export::run::Run;
use lambda_support::objects::put_json;
use lambda_support::step::StepError;

use crate::State;

/// Keeps a line that is no resource, whole where it can be held.
pub(crate) async fn bury(
    state: &State,
    run: &Run,
    range: &Range,
    reason: LineReject,
    offset: u64,
    length: u64,
    line: Option<&[u8]>,
) -> Result<(), StepError> {
    let dead =
        DeadLine::new(run.datastore.id.clone(), run.key.id.clone(), reason, &range.key, offset, length, line);
    let key = dead.object_key();
    tracing::warn!(run = %run.key.id, range = range.index, offset, reason = reason.code(), key, "a line is no resource");
    let json = serde_json::to_string(&dead)
        .map_err(|_| StepError::new(FailureCode::PublishFailed, "a dead line cannot be written"))?;
    put_json(&state.s3, &state.config.dead_letter_bucket_name, key, json).await?;
    Ok(())
}

/// Puts an event that is too large for the bus where its `dataRef` will say.
pub(crate) async fn claim_check(state: &State, id: &ChangeId, detail: String) -> Result<DataRef, StepError> {
    let key = format!("fhir/{id}.json");
    Ok(put_json(&state.s3, &state.config.claim_check_bucket_name, key, detail).await?)
}
