//! Identity providers that travel with deployments: when they come into force, when they go, and what that means for
//! those who are signed in.

use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};
use weir_auth::{SignRequest, SigningKeys};
use weir_db::VariableChanges;
use weir_store::memory::MemoryDisk;

use crate::loader::TestLoader;
use crate::support::{Client, Reply, SESSION, TestServer, deploy_request, open_store};

/// Somebody who vouches for users.
struct Issuer {
    name: String,
    keys: SigningKeys,
    _dir: tempfile::TempDir,
}

impl Issuer {
    fn named(name: &str) -> Issuer {
        let dir = tempfile::tempdir().unwrap();
        Issuer { name: name.to_owned(), keys: SigningKeys::read_or_create(dir.path()).unwrap(), _dir: dir }
    }

    /// Its entry in a list of providers.
    fn provider(&self) -> Json {
        let jwks = self.keys.jwks();
        json!({"type": "customJwt", "issuer": self.name, "jwks": jwks, "algorithm": "ES256"})
    }

    /// A component that names it.
    fn component(&self) -> String {
        format!("issuer {} {}", self.name, self.keys.jwks())
    }

    fn token(&self) -> String {
        self.token_as(&self.name)
    }

    /// A token with its keys in the name of another.
    fn token_as(&self, issuer: &str) -> String {
        #[expect(clippy::disallowed_methods, reason = "the issuer's clock is the machine's")]
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let claims = json!({"sub": "ada"}).as_object().cloned().unwrap();
        self.keys.sign(&SignRequest::new(claims, 600.0).unwrap(), issuer, now).unwrap()
    }
}

async fn deploy(server: &TestServer, modules: &[(&str, &str)], auth: Json) -> Reply {
    let mut request: Json = serde_json::from_str(&deploy_request(modules)).unwrap();
    if !auth.is_null() {
        request["auth"] = auth;
    }
    server.send("POST", "/api/weir/deploy", &[&server.admin_header()], &request.to_string()).await
}

async fn deploy_well(server: &TestServer, modules: &[(&str, &str)], auth: Json) -> Json {
    let reply = deploy(server, modules, auth).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::from_str(&reply.body).unwrap()
}

fn list(issuers: &[&Issuer]) -> Json {
    json!({"providers": issuers.iter().map(|issuer| issuer.provider()).collect::<Vec<_>>()})
}

/// What a request with this token is answered: whose it is, or a code.
async fn who(server: &TestServer, token: &str) -> Json {
    let header = format!("Authorization: Bearer {token}");
    let body = json!({"path": "chat:who", "args": {}}).to_string();
    let reply = server.send("POST", "/api/query", &[&header], &body).await;
    let answer: Json = serde_json::from_str(&reply.body).unwrap();
    answer.get("value").or(answer.get("code")).cloned().unwrap_or(answer)
}

async fn set(server: &TestServer, name: &str, value: Option<&str>) -> Result<(), String> {
    let changes = VariableChanges::new([(name.to_owned(), value.map(str::to_owned))]).unwrap();
    server.app.deployer.set_variables(changes).await.map_err(|error| error.to_string())
}

/// A socket that is a user's.
async fn signed_in(server: &TestServer, token: &str) -> Client {
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client.say(json!({"type": "Authenticate", "baseVersion": 0, "tokenType": "User", "value": token})).await;
    assert_eq!(client.hear_type("Transition").await["endVersion"]["identity"], 1);
    client
}

const CHAT: (&str, &str) = ("native", "v1");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_come_and_go_with_deployments_and_outlive_a_restart() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    let (one, two) = (Issuer::named("https://one.test"), Issuer::named("https://two.test"));
    deploy_well(&server, &[CHAT], Json::Null).await;
    assert_eq!(who(&server, &one.token()).await, "NoAuthProvider");

    let summary = deploy_well(&server, &[CHAT, ("auth", &two.component())], list(&[&one])).await;
    assert_eq!(summary["authIssuers"], json!(["https://one.test", "https://two.test"]));
    assert_eq!(who(&server, &one.token()).await, "https://one.test|ada");
    assert_eq!(who(&server, &two.token()).await, "https://two.test|ada");
    assert_eq!(who(&server, &one.token_as("https://two.test")).await, "InvalidToken");

    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(who(&server, &one.token()).await, "https://one.test|ada");
    assert_eq!(who(&server, &two.token()).await, "https://two.test|ada");

    deploy_well(&server, &[CHAT], list(&[&two])).await;
    assert_eq!(who(&server, &one.token()).await, "InvalidToken");
    assert_eq!(who(&server, &two.token()).await, "https://two.test|ada");
    let summary = deploy_well(&server, &[CHAT], Json::Null).await;
    assert_eq!(summary.get("authIssuers"), None);
    assert_eq!(who(&server, &two.token()).await, "NoAuthProvider");
    server.stop().await;
}

/// The users of a module that cannot be run are users of the others all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_providers_of_a_module_that_is_missing_stay() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    let issuer = Issuer::named("https://one.test");
    let component = issuer.component();
    deploy_well(&server, &[CHAT, ("auth", &component)], Json::Null).await;
    let loader = TestLoader::without(&[&component]);
    let server = TestServer::start_with(open_store(&disk), server.stop().await, loader).await;
    assert_eq!(server.app.deployer.missing_modules(), 1);
    assert_eq!(who(&server, &issuer.token()).await, "https://one.test|ada");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_deployment_leaves_the_providers_in_force() {
    let server = TestServer::start().await;
    let (one, two) = (Issuer::named("https://one.test"), Issuer::named("https://two.test"));
    deploy_well(&server, &[CHAT], list(&[&one])).await;
    let mut client = signed_in(&server, &one.token()).await;
    let set_of = |changes: Json| {
        let mut provider = one.provider();
        provider.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "providers": [provider] })
    };
    let other = set_of(json!({"jwks": two.keys.jwks()}));
    for (modules, auth, expected) in [
        (vec![("native", "broken")], list(&[&two]), "module `native` is not a component"),
        (vec![CHAT], json!([]), "host.toml: the providers of users: Write {"),
        (vec![CHAT], json!({}), "host.toml: the providers of users: `providers` has to be an array"),
        (vec![CHAT], json!({"providers": [{}]}), "host.toml: auth provider 1: `domain` is missing"),
        (vec![CHAT], set_of(json!({"algorithm": "HS256"})), "\"https://one.test\"): `algorithm` has to be"),
        (vec![CHAT], set_of(json!({"jwks": "http://one.test/keys"})), "use https"),
        (vec![CHAT], set_of(json!({"jwks": {"keys": []}})), "it is empty"),
        (vec![CHAT], set_of(json!({"application_id": "x"})), "there is no key \"application_id\""),
        (
            vec![CHAT, ("auth", &one.component())],
            other,
            "auth.ts: auth provider 1 (\"https://one.test\"): provider 1 of host.toml has the same issuer",
        ),
        (vec![CHAT, ("auth", "issuer $ISSUER x")], Json::Null, "set the variable ISSUER"),
        (vec![CHAT, ("auth", "issuer one x")], Json::Null, "auth.ts: auth provider 1 (\"one\"): `jwks`"),
    ] {
        let reply = deploy(&server, &modules, auth.clone()).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "InvalidDeployment"), "{auth}: {reply:?}");
        let answer: Json = serde_json::from_str(&reply.body).unwrap();
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(expected), "{auth}: {message}");
        assert_eq!(who(&server, &one.token()).await, "https://one.test|ada");
    }
    client.watch(0, "chat:who", json!({})).await;
    let shown = client.hear_type("Transition").await;
    assert_eq!(shown["modifications"][0]["value"], "https://one.test|ada", "the user is still signed in");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_a_provider_that_is_removed_or_changed_are_signed_out_and_no_others() {
    let server = TestServer::start().await;
    let (one, two) = (Issuer::named("https://one.test"), Issuer::named("https://two.test"));
    deploy_well(&server, &[CHAT], list(&[&one, &two])).await;
    let (mut first, mut second) =
        (signed_in(&server, &one.token()).await, signed_in(&server, &two.token()).await);
    second.watch(0, "chat:version", json!({})).await;
    assert_eq!(second.hear_type("Transition").await["modifications"][0]["value"], "one");

    // Moved within the list, and named by a module instead: the same provider.
    deploy_well(&server, &[("native", "v2"), ("auth", &one.component())], list(&[&two])).await;
    assert_eq!(second.hear_type("Transition").await["modifications"][0]["value"], "two");
    first.watch(0, "chat:version", json!({})).await;
    assert_eq!(first.hear_type("Transition").await["modifications"][0]["value"], "two");

    deploy_well(&server, &[("native", "v3")], list(&[&two])).await;
    let error = first.hear().await;
    assert_eq!((&error["type"], &error["baseVersion"]), (&json!("AuthError"), &json!(1)));
    assert_eq!(error["authUpdateAttempted"], false);
    assert!(error["error"].as_str().unwrap().starts_with("AuthProviderRemoved: "), "{error}");
    let (after, _) = first.hear_close().await;
    assert_eq!(after, Vec::<String>::new(), "nothing of the new functions goes to it");
    assert_eq!(second.hear_type("Transition").await["modifications"][0]["value"], "three");

    // The same name, other keys.
    let again = Issuer::named("https://two.test");
    deploy_well(&server, &[("native", "v1")], list(&[&again])).await;
    second.hear_type("AuthError").await;
    second.hear_close().await;
    assert_eq!(who(&server, &two.token()).await, "InvalidToken");
    let mut third = signed_in(&server, &again.token()).await;

    // Who has signed out is nobody, and stays.
    third.say(json!({"type": "Authenticate", "baseVersion": 1, "tokenType": "None"})).await;
    assert_eq!(third.hear_type("Transition").await["endVersion"]["identity"], 2);
    deploy_well(&server, &[("native", "v2")], Json::Null).await;
    third.watch(0, "chat:version", json!({})).await;
    assert_eq!(third.hear_type("Transition").await["modifications"][0]["value"], "two");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_that_names_a_provider_changes_it() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    let (one, sent) = (Issuer::named("https://one.test"), Issuer::named("https://sent.test"));
    let component = format!("issuer $ISSUER {}", one.keys.jwks());
    set(&server, "ISSUER", Some("https://one.test")).await.unwrap();
    deploy_well(&server, &[CHAT, ("auth", &component)], list(&[&sent])).await;
    assert_eq!(who(&server, &one.token()).await, "https://one.test|ada");
    let mut client = signed_in(&server, &one.token()).await;

    set(&server, "OTHER", Some("x")).await.unwrap();
    set(&server, "ISSUER", Some("https://two.test")).await.unwrap();
    client.hear_type("AuthError").await;
    assert_eq!(who(&server, &one.token()).await, "InvalidToken");
    assert_eq!(who(&server, &one.token_as("https://two.test")).await, "https://two.test|ada");
    assert_eq!(who(&server, &sent.token()).await, "https://sent.test|ada", "what was sent stays");

    let refused = set(&server, "ISSUER", None).await.unwrap_err();
    assert!(
        refused.contains("stay as they were") && refused.contains("set the variable ISSUER"),
        "{refused}"
    );
    let refused = set(&server, "ISSUER", Some("https://sent.test")).await.unwrap_err();
    assert!(refused.contains("stay as they were") && refused.contains("has the same issuer"), "{refused}");
    assert!(
        refused.contains("(\"[ISSUER]\")") && !refused.contains("sent.test"),
        "no value is told: {refused}"
    );
    assert_eq!(who(&server, &one.token_as("https://two.test")).await, "https://two.test|ada");

    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(who(&server, &one.token_as("https://two.test")).await, "https://two.test|ada");
    assert_eq!(who(&server, &sent.token()).await, "https://sent.test|ada");
    server.stop().await;
}

/// The address of this server is on no network: nobody could fetch the keys there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_vouches_for_whom_its_functions_name() {
    let disk = MemoryDisk::new();
    let mut server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    let discovery = server.send("GET", "/.well-known/openid-configuration", &[], "").await;
    assert_eq!(discovery.header("access-control-allow-origin"), Some("*"));
    let discovery: Json = serde_json::from_str(&discovery.body).unwrap();
    assert_eq!(discovery["issuer"], "http://cloud.test");
    assert_eq!(discovery["jwks_uri"], "http://cloud.test/.well-known/jwks.json");
    let jwks = "http://site.test/.well-known/jwks.json";
    for provider in [
        json!({"type": "host"}),
        json!({"domain": "http://cloud.test", "applicationID": "app"}),
        json!({"domain": "http://site.test", "applicationID": "app"}),
        json!({"type": "customJwt", "issuer": "http://cloud.test", "jwks": jwks, "algorithm": "ES256"}),
    ] {
        let summary = deploy_well(&server, &[CHAT], json!({"providers": [provider]})).await;
        assert_eq!(summary["authIssuers"], json!(["http://cloud.test"]));
        let args = json!({"sub": "ada", "aud": "app"});
        let signed = server.post("/api/mutation", json!({"path": "chat:sign", "args": args})).await;
        let token = signed["value"].as_str().unwrap();
        assert_eq!(who(&server, token).await, "http://cloud.test|ada", "{provider}");
        assert_eq!(who(&server, &Issuer::named("http://cloud.test").token()).await, "InvalidToken");
        let mut client = signed_in(&server, token).await;
        server = TestServer::start_on(&disk, server.stop().await).await;
        assert_eq!(client.hear_close().await.0, Vec::<String>::new());
        assert_eq!(who(&server, token).await, "http://cloud.test|ada", "{provider}");
    }
    server.stop().await;
}

/// A provider whose server never answers: neither a deployment nor a stop waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_fetched_beside_the_deployment() {
    let server = TestServer::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let jwks = format!("http://{}/keys", listener.local_addr().unwrap());
    let slow = json!({"type": "customJwt", "issuer": "slow", "jwks": jwks, "algorithm": "ES256"});
    let quick = async {
        deploy_well(&server, &[CHAT], json!({"providers": [slow]})).await;
        // Somebody fetches already, although no token has come.
        let fetching = listener.accept().await.unwrap();
        server.stop().await;
        fetching
    };
    tokio::time::timeout(Duration::from_secs(8), quick).await.expect("less than a fetch may take");
}
