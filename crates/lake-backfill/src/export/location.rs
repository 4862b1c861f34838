//! Where an export lies.

use std::str::FromStr;

/// The folder with the manifests of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub bucket: String,
    /// With its last slash.
    pub folder: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an export lies at s3://bucket/prefix/AWSDynamoDB/01234567890123-a1b2c3d4/: the folder with manifest-summary.json"
)]
pub struct LocationError;

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(uri: &str) -> Result<Self, LocationError> {
        let (bucket, path) =
            uri.strip_prefix("s3://").and_then(|path| path.split_once('/')).ok_or(LocationError)?;
        let folder = path.strip_suffix("manifest-summary.json").unwrap_or(path).trim_end_matches('/');
        if bucket.is_empty() || folder.is_empty() {
            return Err(LocationError);
        }
        Ok(Self { bucket: bucket.to_owned(), folder: format!("{folder}/") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_folder() {
        let folder = "2026/AWSDynamoDB/01234567890123-a1b2c3d4";
        for uri in [
            format!("s3://exports/{folder}"),
            format!("s3://exports/{folder}/"),
            format!("s3://exports/{folder}/manifest-summary.json"),
        ] {
            let location: Location = uri.parse().unwrap();
            assert_eq!((location.bucket.as_str(), location.folder), ("exports", format!("{folder}/")));
        }
        for uri in ["", "exports/AWSDynamoDB/1", "s3://exports", "s3://exports/", "s3:///AWSDynamoDB/1"] {
            assert_eq!(uri.parse::<Location>(), Err(LocationError), "{uri}");
        }
    }
}
