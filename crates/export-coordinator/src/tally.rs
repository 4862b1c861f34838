//! The results of a run's ranges, added up.

use std::collections::BTreeSet;

use domain::export::failure::FailureCode;
use domain::export::manifest::results_prefix;
use domain::export::run::Run;
use domain::export::tally::{RangeResult, Tally};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_support::dependency::DependencyError;
use lambda_support::objects::get_json;
use lambda_support::step::StepError;

use crate::State;

const CONCURRENCY: usize = 32;

/// Every range must have left its result: one that has none was not published.
pub(crate) async fn of_results(state: &State, run: &Run, ranges: u32) -> Result<Tally, StepError> {
    if ranges == 0 {
        return Ok(Tally::default());
    }
    let bucket = &state.config.export_bucket_name;
    let keys = result_keys(state, &results_prefix(&run.datastore.id, &run.key.id)).await?;
    let results: Vec<RangeResult> = stream::iter(keys)
        .map(|key| async move {
            let json = get_json(&state.s3, bucket, &key).await?;
            serde_json::from_str(&json)
                .map_err(|_| StepError::new(FailureCode::PublishFailed, "a range's result cannot be read"))
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await?;
    let published: BTreeSet<u32> = results.iter().map(|result| result.index).collect();
    let missing = (0..ranges).filter(|index| !published.contains(index)).count();
    if missing > 0 {
        let detail = format!("{missing} of {ranges} ranges have left no result");
        return Err(StepError::new(FailureCode::PublishFailed, detail));
    }
    Ok(results.iter().fold(Tally::default(), |mut sum, result| {
        sum.add(&result.tally);
        sum
    }))
}

async fn result_keys(state: &State, prefix: &str) -> Result<Vec<String>, DependencyError> {
    let mut pages = state
        .s3
        .list_objects_v2()
        .bucket(&state.config.export_bucket_name)
        .prefix(prefix)
        .into_paginator()
        .send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| DependencyError::of("s3:ListBucket", &error))?;
        keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
    }
    Ok(keys)
}
