//! Users and admins, over HTTP and over sockets.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use weir_auth::{Providers, SignRequest, SigningKeys};

use crate::support::{Client, SESSION, TestServer};

pub const ISSUER: &str = "https://issuer.test";

/// A server that trusts an issuer, and the issuer.
pub struct World {
    pub server: TestServer,
    keys: SigningKeys,
    _dir: tempfile::TempDir,
}

impl World {
    pub async fn start() -> World {
        let server = TestServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        let keys = SigningKeys::read_or_create(dir.path()).unwrap();
        let provider =
            json!({"type": "customJwt", "issuer": ISSUER, "jwks": keys.jwks(), "algorithm": "ES256"});
        World::trust(&server, &provider);
        World { server, keys, _dir: dir }
    }

    fn trust(server: &TestServer, provider: &Json) {
        let providers = json!({"providers": [provider]}).to_string();
        let host = server.app.signer.as_provider();
        let providers = Providers::from_json(providers.as_bytes(), &host).unwrap();
        server.app.identities.set_providers(providers);
    }

    /// A token that is good for so long from now on.
    pub fn token(&self, subject: &str, seconds: u64) -> String {
        self.token_issued(subject, seconds, Duration::ZERO)
    }

    fn token_issued(&self, subject: &str, seconds: u64, ago: Duration) -> String {
        #[expect(clippy::disallowed_methods, reason = "the issuer's clock is the machine's")]
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() - ago;
        let claims = json!({"sub": subject}).as_object().cloned().unwrap();
        let request = SignRequest::new(claims, seconds as f64).unwrap();
        self.keys.sign(&request, ISSUER, now).unwrap()
    }

    async fn who(&self, authorization: &str) -> (u16, Json) {
        let header = format!("Authorization: {authorization}");
        let body = json!({"path": "chat:who", "args": {}}).to_string();
        let reply = self.server.send("POST", "/api/query", &[&header], &body).await;
        let answer: Json = serde_json::from_str(&reply.body).unwrap();
        let told =
            if answer["status"] == "success" { answer["value"].clone() } else { answer["code"].clone() };
        (reply.status, told)
    }

    pub async fn socket(&self) -> Client {
        let mut client = self.server.open_socket().await;
        client.connect(SESSION).await;
        client
    }
}

pub async fn authenticate(client: &mut Client, base: u32, kind: &str, value: &str) {
    let message = json!({"type": "Authenticate", "baseVersion": base, "tokenType": kind, "value": value});
    client.say(message).await;
}

pub fn shown(transition: &Json) -> &Json {
    &transition["modifications"][0]["value"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_its_users() {
    let world = World::start().await;
    let named = |subject: &str| json!(format!("{ISSUER}|{subject}"));
    let bearer = |token: String| format!("Bearer {token}");
    assert_eq!(world.who(&bearer(world.token("ada", 60))).await, (200, named("ada")));
    let old = world.token_issued("ada", 60, Duration::from_secs(600));
    assert_eq!(world.who(&bearer(old)).await, (401, json!("InvalidToken")));
    assert_eq!(world.who("Bearer e30.e30.").await, (401, json!("InvalidToken")));
    let key = &world.server.admin_key;
    let acting = |claims: Json| format!("Convex {key}:{}", STANDARD.encode(claims.to_string()));
    let bob = json!({"issuer": ISSUER, "subject": "bob"});
    assert_eq!(world.who(&acting(bob)).await, (200, named("bob")));
    assert_eq!(world.who(&acting(json!({"name": "x"}))).await, (400, json!("InvalidIdentity")));
    assert_eq!(world.who(&format!("Convex {key}")).await, (200, Json::Null));
    assert_eq!(world.who("Convex weir|00:e30=").await, (403, json!("BadAdminKey")));
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_gone_is_not_the_tokens_fault() {
    let world = World::start().await;
    let provider = json!({"type": "customJwt", "issuer": ISSUER, "jwks": "http://127.0.0.1:1/keys", "algorithm": "ES256"});
    World::trust(&world.server, &provider);
    let token = world.token("ada", 60);
    assert_eq!(world.who(&format!("Bearer {token}")).await, (503, json!("AuthProviderUnavailable")));
    let mut client = world.socket().await;
    authenticate(&mut client, 0, "User", &token).await;
    let (before, code) = client.hear_close().await;
    assert_eq!((before.len(), code), (0, Some(1013)), "{before:?}");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_its_users_and_what_follows_a_token_waits_for_it() {
    let world = World::start().await;
    let mut client = world.socket().await;
    // All at once, as a client does that connects again.
    authenticate(&mut client, 0, "User", &world.token("ada", 60)).await;
    client.watch(0, "chat:who", json!({})).await;
    let first = client.hear_type("Transition").await;
    let first = if first["modifications"].as_array().unwrap().is_empty() {
        client.hear_type("Transition").await
    } else {
        first
    };
    assert_eq!(first["endVersion"]["identity"], 1);
    assert_eq!(shown(&first), &json!(format!("{ISSUER}|ada")));
    authenticate(&mut client, 1, "User", &world.token("bob", 60)).await;
    let second = client.hear_type("Transition").await;
    assert_eq!(second["endVersion"]["identity"], 2);
    assert_eq!(shown(&second), &json!(format!("{ISSUER}|bob")));
    client.say(json!({"type": "Authenticate", "baseVersion": 2, "tokenType": "None"})).await;
    assert_eq!(shown(&client.hear_type("Transition").await), &Json::Null);
    authenticate(&mut client, 3, "User", "no token").await;
    let error = client.hear_type("AuthError").await;
    assert_eq!((&error["baseVersion"], &error["authUpdateAttempted"]), (&json!(3), &json!(true)));
    assert!(error["error"].as_str().unwrap().contains("not a JWT"), "{error}");
    assert_eq!(client.hear_close().await.1, None);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expires_ends_its_socket() {
    let world = World::start().await;
    // Good for two to three seconds by its leeway: times in tokens are whole seconds.
    let leeway = Duration::from_secs(weir_value::limits::TOKEN_LEEWAY_SECONDS);
    let token = world.token_issued("ada", 3, leeway);
    let mut client = world.socket().await;
    authenticate(&mut client, 0, "User", &token).await;
    assert_eq!(client.hear_type("Transition").await["endVersion"]["identity"], 1);
    let error = client.hear_type("AuthError").await;
    assert_eq!((&error["baseVersion"], &error["authUpdateAttempted"]), (&json!(1), &json!(false)));
    assert!(error["error"].as_str().unwrap().contains("expired"), "{error}");
    assert_eq!(client.hear_close().await.1, None);
    world.server.stop().await;
}

/// The official client for Rust connects again twice, and calls mutations twice, if it also hears a closing frame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_error_the_client_is_left_to_hang_up() {
    let world = World::start().await;
    let mut client = world.socket().await;
    authenticate(&mut client, 0, "User", "no token").await;
    client.hear_type("AuthError").await;
    client.mutate(0, "chat:send", json!({"body": "not by nobody"})).await;
    let quiet = tokio::time::timeout(Duration::from_millis(500), client.hear_raw()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    client.hang_up().await;
    assert_eq!(
        world.server.post("/api/query", json!({"path": "chat:list", "args": {}})).await["value"],
        json!([])
    );
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_calls_internal_functions_over_a_socket_and_acts_as_users() {
    let world = World::start().await;
    world.server.deploy(&[("native", "v1"), ("extra", "extra")]).await;
    let mut anybody = world.socket().await;
    anybody.watch(0, "extra:hidden", json!({})).await;
    let refused = anybody.hear_type("Transition").await;
    let message = refused["modifications"][0]["errorMessage"].as_str().unwrap();
    assert!(message.contains("Could not find public function for 'extra:hidden'"), "{message}");

    let mut admin = world.socket().await;
    let acting = json!({"type": "Authenticate", "baseVersion": 0, "tokenType": "Admin",
        "value": world.server.admin_key, "impersonating": {"issuer": ISSUER, "subject": "ada"}});
    admin.say(acting).await;
    assert_eq!(admin.hear_type("Transition").await["endVersion"]["identity"], 1);
    admin.watch(0, "extra:hidden", json!({})).await;
    assert_eq!(admin.hear_type("Transition").await["modifications"][0]["type"], "QueryUpdated");
    admin.watch(1, "chat:who", json!({})).await;
    assert_eq!(shown(&admin.hear_type("Transition").await), &json!(format!("{ISSUER}|ada")));
    admin.watch(2, "extra:gone", json!({})).await;
    let gone = admin.hear_type("Transition").await;
    let message = gone["modifications"][0]["errorMessage"].as_str().unwrap();
    assert!(message.contains("Could not find function for 'extra:gone'"), "{message}");

    let mut wrong = world.socket().await;
    authenticate(&mut wrong, 0, "Admin", "weir|00").await;
    let error = wrong.hear_type("AuthError").await;
    assert_eq!(error["error"], "The admin key is not this server's.");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_a_function_signs_is_verified_with_the_published_keys() {
    let world = World::start().await;
    let reply = world.server.send("GET", "/.well-known/jwks.json", &[], "").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some("*")));
    let keys: Json = serde_json::from_str(&reply.body).unwrap();
    assert!(keys["keys"][0].get("d").is_none(), "the secret half stays here");
    let provider =
        json!({"type": "customJwt", "issuer": "http://cloud.test", "jwks": keys, "algorithm": "ES256"});
    World::trust(&world.server, &provider);
    let call = |args: Json| world.server.post("/api/mutation", json!({"path": "chat:sign", "args": args}));
    let token = call(json!({"sub": "ada", "role": "editor"})).await["value"].as_str().unwrap().to_owned();
    assert_eq!(world.who(&format!("Bearer {token}")).await, (200, json!("http://cloud.test|ada")));
    let refused = call(json!({"iss": "https://elsewhere"})).await;
    let message = refused["errorMessage"].as_str().unwrap();
    assert!(message.contains("InvalidClaims") && message.contains("iss"), "{message}");
    world.server.stop().await;
}
