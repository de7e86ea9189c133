//! Where files lie, as an operator says it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// How the address of a bucket begins.
const BUCKET_SCHEME: &str = "s3://";

/// Where files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesPlace {
    /// In a folder of this machine, which is made if it is missing.
    Folder(PathBuf),
    /// In a bucket that speaks S3. Where that is and how it is asked, the environment says: `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT` and those that the AWS tools know besides.
    Bucket {
        /// Its name.
        bucket: String,
        /// What the names of all files begin with, without `/` at its ends; empty: nothing.
        prefix: String,
    },
    /// In memory, for tests.
    Memory,
}

/// Why a text says no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It names no bucket.
    #[error("`{0}` names no bucket: write s3://BUCKET or s3://BUCKET/PREFIX")]
    NoBucket(String),
    /// It is an address of another kind.
    #[error(
        "`{0}` is neither a folder nor a bucket: write a folder's path, s3://BUCKET or s3://BUCKET/PREFIX"
    )]
    OtherScheme(String),
    /// The prefix is not one.
    #[error("`{0}` is no prefix of files' names: its parts may not be empty, `.` or `..`")]
    Prefix(String),
}

impl FromStr for FilesPlace {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<FilesPlace, PlaceError> {
        let Some(rest) = text.strip_prefix(BUCKET_SCHEME) else {
            return match text.contains("://") || text.is_empty() {
                true => Err(PlaceError::OtherScheme(text.to_owned())),
                false => Ok(FilesPlace::Folder(text.into())),
            };
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            return Err(PlaceError::NoBucket(text.to_owned()));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() && prefix.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(PlaceError::Prefix(prefix.to_owned()));
        }
        Ok(FilesPlace::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for FilesPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilesPlace::Folder(path) => path.display().fmt(f),
            FilesPlace::Bucket { bucket, prefix } if prefix.is_empty() => {
                write!(f, "{BUCKET_SCHEME}{bucket}")
            }
            FilesPlace::Bucket { bucket, prefix } => write!(f, "{BUCKET_SCHEME}{bucket}/{prefix}"),
            FilesPlace::Memory => f.write_str("memory"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written() {
        let bucket = |bucket: &str, prefix: &str| FilesPlace::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (text, expected) in [
            ("files", FilesPlace::Folder("files".into())),
            ("/srv/files", FilesPlace::Folder("/srv/files".into())),
            ("s3://b", bucket("b", "")),
            ("s3://my-bucket.eu/app/files", bucket("my-bucket.eu", "app/files")),
        ] {
            let place: FilesPlace = text.parse().unwrap();
            assert_eq!((place.to_string().as_str(), &place), (text, &expected));
        }
        assert_eq!("s3://b/p/".parse(), Ok(bucket("b", "p")));
        for wrong in ["", "s3://", "s3:///p", "s3://a b", "s3://b//p", "s3://b/../c", "gs://b", "http://h/b"]
        {
            assert!(wrong.parse::<FilesPlace>().is_err(), "{wrong}");
        }
    }
}
