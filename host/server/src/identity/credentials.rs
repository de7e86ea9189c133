//! What a client says of itself, before anybody has checked it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use weir_sync::protocol::AuthToken;

/// What a request says about who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    None,
    /// An admin key.
    AdminKey {
        /// The key, perhaps the wrong one.
        key: String,
        /// The user to act as: claims as JSON, unread.
        acting_as: Option<Bytes>,
    },
    /// A user's token.
    Token(String),
    /// An `Authorization` header of no kind we know.
    Unknown,
}

impl Credentials {
    /// Reads an `Authorization` header: `Convex <key>`, `Convex <key>:<base64 of
    /// JSON>` or `Bearer <token>`.
    pub fn parse(header: &str) -> Credentials {
        let Some((scheme, rest)) = header.trim().split_once(' ') else {
            return Credentials::Unknown;
        };
        match scheme.to_ascii_lowercase().as_str() {
            "convex" => parse_admin(rest.trim()),
            "bearer" => Credentials::Token(rest.trim().to_owned()),
            _ => Credentials::Unknown,
        }
    }
}

fn parse_admin(text: &str) -> Credentials {
    let secret_at = text.find('|').map_or(0, |bar| bar + 1);
    let Some(colon) = text[secret_at..].find(':').map(|at| at + secret_at) else {
        return Credentials::AdminKey { key: text.to_owned(), acting_as: None };
    };
    match STANDARD.decode(&text[colon + 1..]) {
        Ok(claims) => Credentials::AdminKey { key: text[..colon].to_owned(), acting_as: Some(claims.into()) },
        Err(_) => Credentials::Unknown,
    }
}

impl From<AuthToken> for Credentials {
    fn from(token: AuthToken) -> Credentials {
        match token {
            AuthToken::None => Credentials::None,
            AuthToken::User(token) => Credentials::Token(token),
            AuthToken::Admin { key, acting_as } => Credentials::AdminKey { key, acting_as },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_authorization_headers() {
        let key = |key: &str, acting_as: Option<&'static str>| Credentials::AdminKey {
            key: key.to_owned(),
            acting_as: acting_as.map(Bytes::from),
        };
        let acting = format!("Convex weir|00:{}", STANDARD.encode("{\"subject\":\"ada\"}"));
        for (header, expected) in [
            ("Convex weir|00", key("weir|00", None)),
            ("convex prod:weir|00", key("prod:weir|00", None)),
            (&acting, key("weir|00", Some("{\"subject\":\"ada\"}"))),
            ("Convex weir|00:%%%", Credentials::Unknown),
            ("Bearer abc.def", Credentials::Token("abc.def".into())),
            ("Basic abc", Credentials::Unknown),
            ("Convex", Credentials::Unknown),
            ("", Credentials::Unknown),
        ] {
            assert_eq!(Credentials::parse(header), expected, "{header}");
        }
    }
}
