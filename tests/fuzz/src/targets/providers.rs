//! Who may vouch for users, as a deployment says it: read or refused with a reason, and the same again when it is read
//! again. Also the requests to sign, and identities, which are JSON of functions' and of operators'.

use weir_auth::{OwnHost, Providers};
use weir_value::{Identity, SignRequest};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "providers",
    run,
    dictionary: &[
        "{\"providers\":[",
        "\"domain\":",
        "\"applicationID\":",
        "\"type\":\"customJwt\"",
        "\"type\":\"host\"",
        "\"issuer\":",
        "\"jwks\":",
        "\"algorithm\":\"",
        "RS256",
        "ES256",
        "EdDSA",
        "HS256",
        "{\"keys\":[",
        "\"kty\":\"",
        "RSA",
        "EC",
        "OKP",
        "oct",
        "\"crv\":\"P-256\"",
        "\"crv\":\"Ed25519\"",
        "\"x\":",
        "\"y\":",
        "\"n\":",
        "\"e\":\"AQAB\"",
        "\"kid\":",
        "\"use\":\"sig\"",
        "\"alg\":",
        "data:application/json;base64,",
        "data:application/json,",
        "https://",
        "http://127.0.0.1",
        "http://10.0.0.1:3210",
        "%7B%22",
        "/",
        "@",
        "#",
        "\"subject\":",
        "\"tokenIdentifier\":",
        "\"iss\":",
        "\"sub\":",
        "\"aud\":",
        "expiresInSeconds",
    ],
    bytes_max: 16 * 1024,
    rounds: 20_000,
    is_in_process: true,
};

/// A line a configuration, claims or an identity: each is read as all of them.
fn run(input: &[u8]) {
    let host = OwnHost::new("http://10.0.0.1:3210", "https://site.example");
    for line in input.split(|byte| *byte == b'\n').take(8) {
        read_providers(line, &host);
        read_identity(line);
        read_request(line);
    }
}

fn read_providers(text: &[u8], host: &OwnHost) {
    let providers = match Providers::from_json(text, host) {
        Ok(providers) => providers,
        Err(error) => {
            assert!(error.to_string().len() < 16 * 1024, "an error is shorter than what it is about");
            return;
        }
    };
    let written = providers.to_json();
    let again = Providers::from_json(written.to_string().as_bytes(), host);
    let again = again.unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(again.to_json(), written);
    assert_eq!((again.len(), again.trust_host()), (providers.len(), providers.trust_host()));
    assert!(again.issuers().eq(providers.issuers()));
}

fn read_identity(text: &[u8]) {
    let Ok(identity) = Identity::from_json(text) else { return };
    let again = Identity::from_json(identity.json()).expect("an identity is one in its own words");
    assert_eq!(again.json(), identity.json());
    assert_eq!(again.token_identifier(), identity.token_identifier());
}

/// The claims, and the options.
fn read_request(text: &[u8]) {
    let at = text.windows(2).position(|bytes| bytes == b"}{").map_or(text.len(), |at| at + 1);
    let (claims, options) = text.split_at(at);
    let Ok(request) = SignRequest::from_json(claims, options) else { return };
    let now = std::time::Duration::from_secs(1_800_000_000);
    let claims = request.claims("https://issuer.example", now);
    assert_eq!(claims["iss"], "https://issuer.example", "no claim takes the issuer's place");
    assert_eq!(claims["iat"], 1_800_000_000);
    assert!(
        claims["exp"].as_u64().is_some_and(|exp| exp > 1_800_000_000),
        "a token expires, and later than now"
    );
}
