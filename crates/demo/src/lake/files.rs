//! The files of the lake, as its bucket lists them.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result};
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use domain::lake::object_key::COMMITS;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

const CONCURRENCY: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub key: String,
    pub bytes: u64,
}

/// Files that lie together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Folder {
    pub files: usize,
    pub bytes: u64,
}

#[derive(Deserialize)]
struct Commit {
    replaced: Vec<String>,
}

/// What lies in each folder, by its path below the prefix.
#[must_use]
pub fn by_folder<'f>(files: &'f [File], prefix: &str) -> BTreeMap<&'f str, Folder> {
    let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
    for file in files {
        let below = file.key.strip_prefix(prefix).unwrap_or(&file.key);
        let folder = folders.entry(below.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default();
        folder.files += 1;
        folder.bytes += file.bytes;
    }
    folders
}

pub(super) async fn list(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<File>> {
    let pages = client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
    let pages: Vec<_> = pages.try_collect().await.context("ListObjectsV2")?;
    let objects = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default());
    let file = |object: aws_sdk_s3::types::Object| {
        Some(File { bytes: u64::try_from(object.size?).ok()?, key: object.key? })
    };
    Ok(objects.filter_map(file).collect())
}

/// The keys of all files that a commit says have been replaced.
pub(super) async fn replaced(client: &Client, bucket: &str) -> Result<HashSet<String>> {
    let commits = list(client, bucket, COMMITS).await?;
    let read: Vec<Vec<String>> = stream::iter(commits)
        .map(|commit| async move {
            match client.get_object().bucket(bucket).key(&commit.key).send().await {
                Ok(object) => {
                    let commit: Commit = serde_json::from_slice(&object.body.collect().await?.to_vec())?;
                    Ok(commit.replaced)
                }
                // Deleted since it was listed, after the files that it names.
                Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                    Ok(Vec::new())
                }
                Err(error) => Err(error).context("reading a commit"),
            }
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await?;
    Ok(read.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_by_the_folder_that_they_lie_in() {
        let file = |key: &str, bytes| File { key: key.to_owned(), bytes };
        let files = [file("raw/items/a=1/x", 5), file("raw/items/a=1/y", 6), file("raw/items/z", 1)];
        let folders: Vec<_> = by_folder(&files, "raw/items/").into_iter().collect();
        assert_eq!(folders, [("", Folder { files: 1, bytes: 1 }), ("a=1", Folder { files: 2, bytes: 11 })]);
    }
}
