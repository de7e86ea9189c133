//! Why there is no new certificate, and what to do about it.

use std::io;

use instant_acme::{Error, Problem};

use super::challenges::ChallengeError;
use super::client::Unreachable;
use crate::tls::TlsError;

/// Why an attempt to get a certificate has failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The authority, or the way to it.
    #[error("{}", text_of(.0))]
    Authority(#[from] Error),
    /// The authority has looked, and does not believe that a name is this host's.
    #[error("{name} is not proven to be this host's: {}", without_prefix(&.problem.to_string()))]
    Unproven {
        /// The name.
        name: String,
        /// What it has found.
        problem: Problem,
    },
    /// It offers no way to prove it that this host knows.
    #[error("the authority offers no way to prove that {name} is this host's that could be taken")]
    NoWay {
        /// The name.
        name: String,
    },
    /// The order has come to a bad end, and nobody says why.
    #[error("the order has become invalid")]
    Invalid,
    /// A challenge cannot be answered.
    #[error(transparent)]
    Challenge(#[from] ChallengeError),
    /// The request for the certificate cannot be made.
    #[error("the request for the certificate cannot be made: {0}")]
    Request(#[from] rcgen::Error),
    /// What was given is no good.
    #[error("the certificate that was given is no good: {0}")]
    Unusable(String),
    /// The account cannot be kept, so nothing was asked with it.
    #[error("the account with the authority cannot be kept: {0}")]
    Keep(#[from] io::Error),
    /// It cannot be written down that the authority is asked, so it was not: a host that is started again and again would ask
    /// it each time.
    #[error("it cannot be written down that the authority is asked: {0}")]
    Note(#[source] io::Error),
    /// What was kept cannot be read, or there is no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It took too long.
    #[error("the authority has not given a certificate in time")]
    TimedOut,
}

/// What the library says, less what tells nothing to who reads the log.
fn text_of(error: &Error) -> String {
    without_prefix(&error.to_string()).to_owned()
}

fn without_prefix(text: &str) -> &str {
    text.strip_prefix("API error: ").unwrap_or(text)
}

impl Failure {
    /// Whether the account that was kept is unknown to the authority.
    pub fn is_of_unknown_account(&self) -> bool {
        self.problem() == Some("accountDoesNotExist")
    }

    /// What whoever runs the host can do.
    pub fn advice(&self) -> &'static str {
        match self {
            Failure::Authority(Error::Other(error)) if error.is::<Unreachable>() => {
                "see that this machine reaches the authority, and trusts its certificate (--acme-ca)"
            }
            Failure::NoWay { .. } => {
                "http-01 needs a port for plain HTTP, which clients reach as port 80: --http-redirect"
            }
            Failure::Unusable(_) => "see that this machine's clock is right",
            Failure::Keep(_) | Failure::Note(_) => "the data folder must have room, and be this user's own",
            _ => self.problem().map_or("the log of the authority may say more", advice_for),
        }
    }

    /// The type of the problem that the authority names, without what they all begin with.
    fn problem(&self) -> Option<&str> {
        let problem = match self {
            Failure::Authority(Error::Api(problem)) | Failure::Unproven { problem, .. } => problem,
            _ => return None,
        };
        problem.r#type.as_deref()?.rsplit(':').next()
    }
}

/// For the types of RFC 8555, section 6.7.
fn advice_for(problem: &str) -> &'static str {
    match problem {
        "dns" => "the name's A and AAAA records must lead to this machine",
        "connection" => {
            "others must reach this host by the name: --listen at port 443, or --http-redirect at port 80"
        }
        "unauthorized" | "incorrectResponse" | "tls" => {
            "the authority has found something else by the name, or nothing: all its A and AAAA records must lead to this \
             host, port 443 to --listen or port 80 to --http-redirect, and no proxy in between may end TLS"
        }
        "caa" => "a CAA record of the name forbids this authority to give a certificate",
        "rateLimited" => "the authority has been asked too often; this passes by itself",
        "rejectedIdentifier" | "unsupportedIdentifier" | "malformed" => {
            "the authority gives no certificate for such a name: see --tls-name"
        }
        "invalidContact" | "unsupportedContact" => "the authority does not take the address of --acme-email",
        "externalAccountRequired" => {
            "this authority wants an account that was made elsewhere, which is not supported: choose another one with \
             --acme-directory"
        }
        "accountDoesNotExist" => "the next attempt makes a new account",
        "userActionRequired" => "the authority's terms have changed: read what it says",
        _ => "the authority says what is wrong; it may pass by itself",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(kind: &str) -> Problem {
        serde_json::from_value(serde_json::json!({
            "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": "No.", "status": 400,
        }))
        .unwrap()
    }

    #[test]
    fn what_an_authority_refuses_comes_with_what_to_do() {
        let unproven = Failure::Unproven { name: "a.test".into(), problem: problem("connection") };
        assert!(
            unproven.to_string().contains("a.test") && unproven.to_string().contains("No."),
            "{unproven}"
        );
        assert!(unproven.advice().contains("--http-redirect"), "{}", unproven.advice());
        let limited = Failure::Authority(Error::Api(problem("rateLimited")));
        assert!(limited.advice().contains("too often"), "{}", limited.advice());
        assert!(Failure::Authority(Error::Api(problem("accountDoesNotExist"))).is_of_unknown_account());
        assert!(!limited.is_of_unknown_account() && !Failure::Invalid.is_of_unknown_account());
    }
}
