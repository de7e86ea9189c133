//! Which client is at the other end: `npm-1.48.0`, `rust-0.10.4`.
use thiserror::Error;
use weir_value::ErrorCode;

/// The newest versions that speak another protocol than this one.
const UNSUPPORTED: [(&str, (u64, u64, u64)); 3] =
    [("npm", (0, 19, 1)), ("python", (0, 0, 2)), ("rust", (0, 0, 1))];

/// A client's name and version, from the path (`/api/1.48.0/sync`) or the `Convex-Client` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    name: String,
    version: (u64, u64, u64),
    /// Before the version, as `1.28.0-alpha.1` is before `1.28.0`.
    is_prerelease: bool,
}

/// Why a client is not served: HTTP 400 with this code and text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientInfoError {
    /// The version is not a semantic version. Code `InvalidClientVersion`.
    #[error("the client version {0:?} is not a semantic version such as 1.48.0")]
    InvalidVersion(String),
    /// So old that it speaks another protocol. Code `ClientVersionUnsupported`.
    #[error("the client {0} is too old for this server; update it")]
    Unsupported(String),
}

impl ClientInfoError {
    /// The stable code of the HTTP answer.
    pub fn code(&self) -> ErrorCode {
        match self {
            ClientInfoError::InvalidVersion(_) => ErrorCode::InvalidClientVersion,
            ClientInfoError::Unsupported(_) => ErrorCode::ClientVersionUnsupported,
        }
    }
}

impl ClientInfo {
    /// A client that did not say what it is: gets nothing that some client might not understand.
    pub fn unknown() -> ClientInfo {
        ClientInfo { name: "unknown".to_owned(), version: (0, 0, 0), is_prerelease: false }
    }

    /// From the version in the path, which only the npm client puts there.
    ///
    /// # Errors
    /// The version is not semantic, or too old.
    pub fn from_path_version(version: &str) -> Result<ClientInfo, ClientInfoError> {
        ClientInfo::of("npm", version).ok_or_else(|| invalid(version))?.supported()
    }

    /// From the `Convex-Client` header, `{name}-{version}`. Names that nobody knows are served.
    ///
    /// # Errors
    /// There is no semantic version after the name, or it is too old.
    pub fn from_header(header: &str) -> Result<ClientInfo, ClientInfoError> {
        let dashes = header.match_indices('-').map(|(at, _)| at);
        let mut splits = dashes.map(|at| (&header[..at], &header[at + 1..]));
        let client = splits.find_map(|(name, version)| ClientInfo::of(name, version));
        client.ok_or_else(|| invalid(header))?.supported()
    }

    /// The name in lower case: `npm`, `rust`, `python`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the client puts `TransitionChunk`s together. All others see a protocol error in them.
    pub fn takes_chunks(&self) -> bool {
        self.name == "npm" && (self.version, !self.is_prerelease) >= ((1, 28, 0), true)
    }

    fn of(name: &str, version: &str) -> Option<ClientInfo> {
        let release = version.split('+').next()?;
        let (core, prerelease) = match release.split_once('-') {
            Some((core, prerelease)) => (core, Some(prerelease)),
            None => (release, None),
        };
        let mut numbers = core.split('.').map(number);
        let version = (numbers.next()??, numbers.next()??, numbers.next()??);
        let complete = numbers.next().is_none() && prerelease.is_none_or(|text| !text.is_empty());
        let name = name.to_ascii_lowercase();
        complete.then(|| ClientInfo { name, version, is_prerelease: prerelease.is_some() })
    }

    fn supported(self) -> Result<ClientInfo, ClientInfoError> {
        let too_old = UNSUPPORTED.iter().any(|(name, last)| self.name == *name && self.version <= *last);
        let (major, minor, patch) = self.version;
        if too_old {
            return Err(ClientInfoError::Unsupported(format!("{}-{major}.{minor}.{patch}", self.name)));
        }
        Ok(self)
    }
}

/// A number of a semantic version: digits without a leading zero.
fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

fn invalid(text: &str) -> ClientInfoError {
    ClientInfoError::InvalidVersion(text.chars().take(64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_decide_what_a_client_gets() {
        for (header, name, chunks) in [
            ("npm-1.48.0", "npm", true),
            ("npm-1.28.0", "npm", true),
            ("npm-1.28.0-alpha.1", "npm", false),
            ("npm-1.29.0-alpha.1", "npm", true),
            ("npm-1.27.9", "npm", false),
            ("npm-cli-1.48.0", "npm-cli", false),
            ("rust-0.10.4", "rust", false),
            ("python-0.8.1", "python", false),
            ("my-own-client-1.0.0+build.5", "my-own-client", false),
        ] {
            let client = ClientInfo::from_header(header).expect(header);
            assert_eq!((client.name(), client.takes_chunks()), (name, chunks), "{header}");
        }
        assert!(ClientInfo::from_path_version("1.48.0").expect("a version").takes_chunks());
        assert!(!ClientInfo::unknown().takes_chunks());
    }

    #[test]
    fn bad_and_old_versions_are_refused_by_name() {
        for version in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.x",
            "1.2.3-",
            "v1.2.3",
            "+1.2.3",
            "99999999999999999999.0.0",
        ] {
            let error = ClientInfo::from_path_version(version).expect_err(version);
            assert_eq!(error.code(), "InvalidClientVersion", "{version}");
        }
        for header in ["", "npm", "npm-", "npm-1", "1.2.3"] {
            assert_eq!(
                ClientInfo::from_header(header).expect_err(header).code(),
                "InvalidClientVersion",
                "{header}"
            );
        }
        for header in ["npm-0.19.1", "python-0.0.2", "rust-0.0.1"] {
            assert_eq!(ClientInfo::from_header(header).expect_err(header).code(), "ClientVersionUnsupported");
        }
        assert!(ClientInfo::from_header("npm-0.19.2").is_ok());
    }
}
