//! Without its key nothing of the admin's answers: every route, every message of a socket and every function of the
//! host, with every kind of credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value as Json, json};
use weir_db::Scope;
use weir_server::{ROUTES, system_function_paths};
use weir_sync::protocol::ClientMessage;

use crate::support::{Client, Reply, TestServer, module};

use Scope::{Deploy, Everything, Functions, ReadOnly};

/// What somebody sends to say who he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sent {
    Nothing,
    WrongKey,
    RevokedKey,
    ExpiredKey,
    Token,
    Key(Scope),
}

/// All kinds, with the texts of the keys.
struct Credentials {
    texts: BTreeMap<Sent, String>,
}

impl Credentials {
    async fn of(server: &TestServer) -> Credentials {
        let mut texts = BTreeMap::from([
            (Sent::WrongKey, format!("weir|{}", "0".repeat(64))),
            (Sent::Token, "e30.e30.e30".to_owned()),
        ]);
        for scope in Scope::ALL {
            let body = json!({"name": scope.as_str(), "scope": scope.as_str()});
            texts.insert(Sent::Key(scope), server.create_key(body).await);
        }
        texts.insert(Sent::RevokedKey, server.create_key(json!({"name": "revoked"})).await);
        server.revoke_key("revoked").await;
        let brief = json!({"name": "brief", "expiresInSeconds": 1});
        texts.insert(Sent::ExpiredKey, server.create_key(brief).await);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        Credentials { texts }
    }

    fn all(&self) -> impl Iterator<Item = Sent> {
        std::iter::once(Sent::Nothing).chain(self.texts.keys().copied())
    }

    fn header(&self, sent: Sent) -> Option<String> {
        let scheme = if sent == Sent::Token { "Bearer" } else { "Convex" };
        self.texts.get(&sent).map(|text| format!("Authorization: {scheme} {text}"))
    }

    /// As it is said on a socket; `None`: nothing is.
    fn message(&self, sent: Sent) -> Option<Json> {
        let text = self.texts.get(&sent)?;
        let kind = if sent == Sent::Token { "User" } else { "Admin" };
        Some(json!({"type": "Authenticate", "baseVersion": 0, "tokenType": kind, "value": text}))
    }
}

async fn server() -> TestServer {
    let server = TestServer::start().await;
    server.app.deployer.deploy(vec![module("native", "v1"), module("extra", "extra")]).await.unwrap();
    server
}

/// To whom a route is open.
enum Open {
    /// To everybody, whatever he sends.
    ToEverybody,
    /// To all but those who send credentials that are nobody's.
    ToCallers,
    /// To the holders of keys of these scopes.
    To(&'static [Scope]),
}

impl Open {
    /// Status and code of the refusal; `None`: it is open.
    fn refusal(&self, sent: Sent) -> Option<(u16, &'static str)> {
        let invalid = match sent {
            Sent::WrongKey | Sent::RevokedKey => Some((403, "BadAdminKey")),
            Sent::ExpiredKey => Some((403, "AdminKeyExpired")),
            Sent::Token => Some((401, "NoAuthProvider")),
            Sent::Nothing | Sent::Key(_) => None,
        };
        match (self, sent) {
            (Open::ToEverybody, _) => None,
            (Open::To(_), Sent::Nothing) => Some((401, "AdminKeyRequired")),
            (Open::To(scopes), Sent::Key(scope)) if !scopes.contains(&scope) => Some((403, "AdminKeyScope")),
            _ => invalid,
        }
    }
}

/// Every route, with a request that changes nothing when it is let in, and the status that it has then.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str, &str, Open, u16)] = &[
    ("GET", "/version", "/version", "", Open::ToEverybody, 200),
    ("HEAD", "/version", "/version", "", Open::ToEverybody, 200),
    ("GET", "/instance_version", "/instance_version", "", Open::ToEverybody, 200),
    ("HEAD", "/instance_version", "/instance_version", "", Open::ToEverybody, 200),
    ("GET", "/instance_name", "/instance_name", "", Open::ToEverybody, 200),
    ("HEAD", "/instance_name", "/instance_name", "", Open::ToEverybody, 200),
    ("GET", "/health", "/health", "", Open::ToCallers, 200),
    ("HEAD", "/health", "/health", "", Open::ToCallers, 200),
    ("GET", "/metrics", "/metrics", "", Open::To(&Scope::ALL), 200),
    ("HEAD", "/metrics", "/metrics", "", Open::To(&Scope::ALL), 200),
    ("GET", "/.well-known/jwks.json", "/.well-known/jwks.json", "", Open::ToEverybody, 200),
    ("HEAD", "/.well-known/jwks.json", "/.well-known/jwks.json", "", Open::ToEverybody, 200),
    ("GET", "/.well-known/openid-configuration", "/.well-known/openid-configuration", "", Open::ToEverybody, 200),
    ("HEAD", "/.well-known/openid-configuration", "/.well-known/openid-configuration", "", Open::ToEverybody, 200),
    ("POST", "/echo", "/echo", "hi", Open::To(&Scope::ALL), 200),
    ("POST", "/api/run/{*function}", "/api/run/chat/version", "{}", Open::ToCallers, 200),
    ("GET", "/api/sync", "/api/sync", "", Open::ToEverybody, 426),
    ("GET", "/api/{version}/sync", "/api/1.48.0/sync", "", Open::ToEverybody, 426),
    ("GET", "/api/query", "/api/query?path=chat:version", "", Open::ToCallers, 200),
    ("POST", "/api/query", "/api/query", r#"{"path":"chat:version"}"#, Open::ToCallers, 200),
    ("POST", "/api/mutation", "/api/mutation", r#"{"path":"chat:look"}"#, Open::ToCallers, 200),
    ("POST", "/api/action", "/api/action", r#"{"path":"chat:look"}"#, Open::ToCallers, 200),
    ("POST", "/api/query_ts", "/api/query_ts", "", Open::ToCallers, 200),
    ("POST", "/api/query_at_ts", "/api/query_at_ts", r#"{"path":"chat:version","ts":"!"}"#, Open::ToCallers, 400),
    ("POST", "/api/query_batch", "/api/query_batch", r#"{"queries":[]}"#, Open::ToCallers, 200),
    ("POST", "/api/function", "/api/function", r#"{"path":"chat:version"}"#, Open::To(&[Everything, Functions, ReadOnly]), 200),
    ("POST", "/api/storage/upload", "/api/storage/upload?token=none", "hi", Open::ToEverybody, 401),
    ("GET", "/api/storage/{file}", "/api/storage/none", "", Open::ToEverybody, 404),
    ("HEAD", "/api/storage/{file}", "/api/storage/none", "", Open::ToEverybody, 404),
    ("POST", "/api/weir/deploy", "/api/weir/deploy", "{}", Open::To(&[Everything, Deploy]), 400),
    ("GET", "/api/weir/deployment", "/api/weir/deployment", "", Open::To(&Scope::ALL), 200),
    ("POST", "/api/update_environment_variables", "/api/update_environment_variables", r#"{"changes":[]}"#, Open::To(&[Everything, Deploy]), 200),
    ("GET", "/api/weir/variables", "/api/weir/variables", "", Open::To(&[Everything, Deploy]), 200),
    ("GET", "/api/v1/get_canonical_urls", "/api/v1/get_canonical_urls", "", Open::To(&Scope::ALL), 200),
    ("POST", "/api/weir/keys", "/api/weir/keys", "{}", Open::To(&[Everything]), 400),
    ("GET", "/api/weir/keys", "/api/weir/keys", "", Open::To(&[Everything]), 200),
    ("DELETE", "/api/weir/keys/{name}", "/api/weir/keys/none", "", Open::To(&[Everything]), 404),
    ("GET", "/api/weir/audit", "/api/weir/audit", "", Open::To(&[Everything]), 200),
    ("GET", "/api/weir/components", "/api/weir/components", "", Open::To(&Scope::ALL), 200),
    ("DELETE", "/api/weir/components/{*path}", "/api/weir/components/a/b", "", Open::To(&[Everything, Deploy]), 404),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_open_to_those_it_is_for() {
    let known: BTreeSet<(&str, &str)> =
        ROUTES.iter().flat_map(|route| route.methods.iter().map(|method| (*method, route.path))).collect();
    let tried: BTreeSet<(&str, &str)> = CASES.iter().map(|case| (case.0, case.1)).collect();
    assert_eq!(tried, known, "every route of the router has its line here, and no other");

    let server = server().await;
    let credentials = Credentials::of(&server).await;
    for (method, pattern, path, body, open, status) in CASES {
        for sent in credentials.all() {
            let header = credentials.header(sent);
            let headers: Vec<&str> = header.as_deref().into_iter().collect();
            let reply = server.send(method, path, &headers, body).await;
            match open.refusal(sent) {
                None => assert_eq!(reply.status, *status, "{method} {pattern} with {sent:?}: {reply:?}"),
                // Its answer has no body.
                Some((status, _)) if *method == "HEAD" => assert_eq!(reply.status, status, "{pattern}"),
                Some(refusal) => check_refused(&reply, refusal, &format!("{method} {pattern} with {sent:?}")),
            }
        }
        check_key_in_url(&server, &credentials, method, path, body).await;
    }
    server.stop().await;
}

/// A refusal says its code and why, and nothing else.
fn check_refused(reply: &Reply, (status, code): (u16, &str), what: &str) {
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{what}: {reply:?}");
    let answer: Json = serde_json::from_str(&reply.body).unwrap();
    let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["code", "message"], "{what}");
}

/// Below `/api/` a key in the URL is refused, be it right or wrong; elsewhere nobody looks for one.
async fn check_key_in_url(
    server: &TestServer,
    credentials: &Credentials,
    method: &str,
    path: &str,
    body: &str,
) {
    if !path.starts_with("/api/") {
        return;
    }
    for sent in [Sent::WrongKey, Sent::Key(Everything)] {
        let key = credentials.texts[&sent].replace('|', "%7C");
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}adminKey={key}");
        let reply = server.send(method, &path, &[], body).await;
        match method {
            // Its answer has no body.
            "HEAD" => assert_eq!(reply.status, 400, "{method} {path}: {reply:?}"),
            _ => check_refused(&reply, (400, "AdminKeyInUrl"), &format!("{method} {path}")),
        }
        assert!(!reply.body.contains(&key[8..]), "the answer does not repeat it: {reply:?}");
    }
}

/// What a call of a function comes to, for anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Runs,
    /// Not to be found among the public functions.
    Hidden,
    /// Not to be found.
    Absent,
    /// The key is good for less.
    Scope,
}

impl Call {
    fn of(error: Option<&str>) -> Call {
        let Some(error) = error else { return Call::Runs };
        let kinds = [
            ("Could not find public function", Call::Hidden),
            ("Could not find function", Call::Absent),
            ("This admin key", Call::Scope),
        ];
        let found = kinds.into_iter().find(|(part, _)| error.contains(part));
        found.unwrap_or_else(|| panic!("another error: {error}")).1
    }
}

/// A function, its arguments, whether it writes, and for whom it runs: nobody in particular, and each scope.
struct Function {
    path: &'static str,
    args: Json,
    is_mutation: bool,
    runs: [Call; 5],
}

/// In this order.
const CALLERS: [Sent; 5] =
    [Sent::Nothing, Sent::Key(Everything), Sent::Key(Deploy), Sent::Key(Functions), Sent::Key(ReadOnly)];

fn functions() -> Vec<Function> {
    use Call::{Absent, Hidden, Runs, Scope};
    let page = json!({"cursor": null, "numItems": 10});
    let query = |path, args, runs| Function { path, args, is_mutation: false, runs };
    let mutation = |path, runs| Function { path, args: json!({}), is_mutation: true, runs };
    vec![
        query("chat:version", json!({}), [Runs; 5]),
        query("extra:hidden", json!({}), [Hidden, Runs, Absent, Runs, Runs]),
        query("chat:gone", json!({}), [Hidden, Absent, Absent, Absent, Absent]),
        mutation("chat:look", [Runs, Runs, Runs, Runs, Scope]),
        mutation("extra:hide", [Hidden, Runs, Absent, Runs, Scope]),
        // The host's own.
        query("_system/cli/tables", json!({"paginationOpts": page}), [Hidden, Runs, Scope, Runs, Runs]),
        query(
            "_system/cli/tableData",
            json!({"table": "messages", "paginationOpts": page}),
            [Hidden, Runs, Scope, Runs, Runs],
        ),
        query("_system/cli/modules:apiSpec", json!({}), [Hidden, Runs, Runs, Runs, Runs]),
        query("_system/cli/queryEnvironmentVariables", json!({}), [Hidden, Runs, Runs, Scope, Scope]),
        query(
            "_system/cli/queryEnvironmentVariables:get",
            json!({"name": "A"}),
            [Hidden, Runs, Runs, Scope, Scope],
        ),
        query("_system/cli/convexUrl:cloudUrl", json!({}), [Hidden, Runs, Runs, Runs, Runs]),
        query("_system/cli/gone", json!({}), [Hidden, Absent, Absent, Absent, Absent]),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_runs_for_those_it_is_for_over_http() {
    let tried: BTreeSet<String> = functions()
        .iter()
        .map(|function| canonical(function.path))
        .filter(|path| is_the_hosts(path))
        .collect();
    let known: BTreeSet<String> = system_function_paths().iter().map(ToString::to_string).collect();
    assert!(known.is_subset(&tried), "every function of the host has its line here: {known:?} {tried:?}");

    let server = server().await;
    let credentials = Credentials::of(&server).await;
    for Function { path, args, is_mutation, runs } in functions() {
        let by_kind = if is_mutation { "/api/mutation" } else { "/api/query" };
        let as_part = format!("/api/run/{}", canonical(path).replace(':', "/"));
        for (sent, expected) in CALLERS.into_iter().zip(runs) {
            for route in [by_kind, as_part.as_str(), "/api/function"] {
                let header = credentials.header(sent);
                let headers: Vec<&str> = header.as_deref().into_iter().collect();
                let body = json!({"path": path, "args": args}).to_string();
                let reply = server.send("POST", route, &headers, &body).await;
                let what = format!("{route} {path} with {sent:?}: {reply:?}");
                if route == "/api/function" && matches!(sent, Sent::Nothing | Sent::Key(Deploy)) {
                    assert!(matches!(reply.status, 401 | 403), "{what}");
                    continue;
                }
                assert_eq!(reply.status, 200, "{what}");
                let answer: Json = serde_json::from_str(&reply.body).unwrap();
                assert_eq!(Call::of(answer["errorMessage"].as_str()), expected, "{what}");
            }
        }
    }
    server.stop().await;
}

fn canonical(path: &str) -> String {
    path.parse::<weir_value::FunctionPath>().unwrap().to_string()
}

fn is_the_hosts(path: &str) -> bool {
    path.starts_with("_system/")
}

/// Every message of a client, so that a new one cannot be forgotten: what it may do stands at its name.
fn is_tried(message: &ClientMessage) -> bool {
    match message {
        // Asks for nothing that a caller may or may not have.
        ClientMessage::Connect(_) | ClientMessage::Event { .. } => true,
        // `every_socket_is_what_its_credentials_are`.
        ClientMessage::Authenticate { .. } => true,
        // `every_function_runs_for_those_it_is_for_on_sockets`.
        ClientMessage::ModifyQuerySet(_) | ClientMessage::Mutation(_) => true,
        // There are none yet, for anybody.
        ClientMessage::Action(_) => true,
    }
}

/// A socket of a session of its own: what another session's requests came to is not this one's answer.
async fn connected(server: &TestServer) -> Client {
    static SESSIONS: AtomicU32 = AtomicU32::new(0);
    let mut client = server.open_socket().await;
    let number = SESSIONS.fetch_add(1, Ordering::Relaxed);
    client.connect(&format!("00000000-0000-4000-8000-{number:012}")).await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_socket_is_what_its_credentials_are() {
    assert!(is_tried(&ClientMessage::Event { event_type: String::new() }));
    let server = server().await;
    let credentials = Credentials::of(&server).await;
    let refused = |sent| Open::ToCallers.refusal(sent).is_some();
    for sent in credentials.all() {
        let mut client = connected(&server).await;
        let Some(message) = credentials.message(sent) else { continue };
        client.say(message).await;
        // What is said after wrong credentials is not heard, also when it came with them.
        client.watch(0, "chat:version", json!({})).await;
        client.mutate(0, "extra:send", json!({"sent": format!("{sent:?}")})).await;
        if !refused(sent) {
            let transition = client.hear_type("Transition").await;
            assert_eq!(transition["endVersion"]["identity"], 1, "{sent:?}: {transition}");
            client.hear_type("MutationResponse").await;
            continue;
        }
        let (said, _) = client.hear_close().await;
        let last: Json = serde_json::from_str(said.last().unwrap()).unwrap();
        let expected = json!({"type": "AuthError", "error": last["error"], "baseVersion": 0, "authUpdateAttempted": true});
        assert_eq!((said.len(), &last), (1, &expected), "{sent:?}");
        let text = credentials.texts[&sent].split('|').next_back().unwrap();
        assert!(!last["error"].as_str().unwrap().contains(text), "{sent:?}: {last}");
    }
    let admin = server.admin_header();
    let data = json!({"path": "_system/cli/tableData", "args": {"table": "extra", "paginationOpts": {"cursor": null, "numItems": 99}}});
    let reply = server.send("POST", "/api/query", &[&admin], &data.to_string()).await;
    for sent in credentials.all() {
        let wrote = reply.body.contains(&format!("\"{sent:?}\""));
        // A read-only key does not write; nobody else of those who were let in was refused anything.
        let expected = !refused(sent) && !matches!(sent, Sent::Nothing | Sent::Key(ReadOnly));
        assert_eq!(wrote, expected, "{sent:?}: {}", reply.body);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_runs_for_those_it_is_for_on_sockets() {
    let server = server().await;
    let credentials = Credentials::of(&server).await;
    for (number, sent) in CALLERS.into_iter().enumerate() {
        let mut client = connected(&server).await;
        if let Some(message) = credentials.message(sent) {
            client.say(message).await;
        }
        let (mut queries, mut mutations) = (0.., 0..);
        for Function { path, args, is_mutation, runs } in functions() {
            let what = format!("{path} with {sent:?}");
            let error = match is_mutation {
                true => mutation_error(&mut client, mutations.next().unwrap(), path, args).await,
                false => query_error(&mut client, queries.next().unwrap(), path, args).await,
            };
            assert_eq!(Call::of(error.as_deref()), runs[number], "{what}: {error:?}");
        }
        client.say(json!({"type": "Action", "requestId": 99, "udfPath": "extra:hide", "args": [{}]})).await;
        let answer = client.hear_type("ActionResponse").await;
        assert_eq!(answer["success"], false, "{answer}");
    }
    server.stop().await;
}

async fn mutation_error(client: &mut Client, request: u32, path: &str, args: Json) -> Option<String> {
    client.mutate(request, path, args).await;
    let answer = client.hear_type("MutationResponse").await;
    (answer["success"] == false).then(|| answer["result"].as_str().unwrap().to_owned())
}

/// Watches a query beside those that are watched, until it has its first result.
async fn query_error(client: &mut Client, query: u32, path: &str, args: Json) -> Option<String> {
    client.watch(query, path, args).await;
    loop {
        let transition = client.hear_type("Transition").await;
        let changes = transition["modifications"].as_array().unwrap();
        let Some(change) = changes.iter().find(|change| change["queryId"] == query) else { continue };
        return (change["type"] == "QueryFailed")
            .then(|| change["errorMessage"].as_str().unwrap().to_owned());
    }
}

/// What a key of the scope `deploy` sees is not what everybody sees who watches the same query.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_query_has_a_result_for_each_that_may_see_another() {
    let server = server().await;
    let credentials = Credentials::of(&server).await;
    let mut clients = Vec::new();
    for sent in CALLERS {
        let mut client = connected(&server).await;
        if let Some(message) = credentials.message(sent) {
            client.say(message).await;
        }
        let error = query_error(&mut client, 0, "_system/cli/modules:apiSpec", json!({})).await;
        assert_eq!(error.is_some(), sent == Sent::Nothing, "{sent:?}: {error:?}");
        clients.push(client);
    }
    server.stop().await;
}
