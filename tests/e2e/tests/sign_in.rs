//! What `host init --auth` makes, on the real binary: accounts, sessions and their tokens, in each language.

use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::command::set_well;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, SyncClient, http, project};

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

/// A server on a new project, and its data.
struct App {
    server: HostProcess,
    data: tempfile::TempDir,
    /// What servers before this one have said.
    said: String,
    _folder: tempfile::TempDir,
}

impl App {
    fn start(language: &str) -> Result<App> {
        let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let path = folder.path().join("club");
        let mut init = Command::new(host_binary());
        init.args(["init", "--auth", "--language", language, "--no-install"]).arg(&path);
        let made = init.output()?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        if path.join("package.json").exists() {
            std::os::unix::fs::symlink(
                project::repository().join("node_modules"),
                path.join("node_modules"),
            )?;
        }
        let server = HostProcess::dev(&path, data.path())?;
        Ok(App { server, data, said: String::new(), _folder: folder })
    }

    /// Kills the server, and starts another one on its data.
    fn restart(&mut self, listen: &str) -> Result<()> {
        self.server.kill();
        self.said += &self.server.errors();
        self.server = HostProcess::serve_at(self.data.path(), listen)?;
        Ok(())
    }

    fn data(&self) -> &Path {
        self.data.path()
    }

    /// Calls a function on behalf of whoever has this token; the answer of the server.
    fn call_with(&self, token: Option<&str>, kind: &str, path: &str, args: &Value) -> Result<Value> {
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let headers = format!("{bearer}Content-Type: application/json\r\n");
        let body = json!({"path": path, "args": args}).to_string();
        let address = self.server.address();
        Ok(http::request(address, "POST", &format!("/api/{kind}"), &headers, body.as_bytes())?.json())
    }

    fn call(&self, path: &str, args: &Value) -> Result<Value> {
        self.call_with(None, "mutation", path, args)
    }

    /// The tokens that a function gives.
    fn tokens(&self, path: &str, args: &Value) -> Result<Tokens> {
        let answer = self.call(path, args)?;
        let text = |name: &str| answer["value"]["tokens"][name].as_str().map(str::to_owned);
        let token = text("token").with_context(|| format!("{path}: {answer}; {}", self.server.errors()))?;
        Ok(Tokens { token, refresh: text("refreshToken").context("no refresh token")? })
    }

    fn sign_in(&self, email: &str, password: &str) -> Result<Value> {
        self.call("auth:signIn", &json!({"email": email, "password": password}))
    }

    fn refresh(&self, tokens: &Tokens) -> Result<Value> {
        self.call("auth:refresh", &json!({"refreshToken": tokens.refresh}))
    }

    /// Who the holder of a token is: an e-mail, null, or the code with which the token is refused.
    fn who(&self, token: &str) -> Result<Value> {
        let answer = self.call_with(Some(token), "query", "auth:me", &json!({}))?;
        Ok(match answer.get("value") {
            Some(me) if me.is_null() => Value::Null,
            Some(me) => me["email"].clone(),
            None => answer["code"].clone(),
        })
    }

    fn expect(&self, token: &str, who: impl Into<Value>) -> Result<()> {
        let (found, who) = (self.who(token)?, who.into());
        ensure!(found == who, "{found} instead of {who}; the host says:\n{}", self.server.errors());
        Ok(())
    }
}

struct Tokens {
    token: String,
    refresh: String,
}

fn credentials(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}

fn code(answer: &Value) -> &str {
    let given = answer["value"]["error"]["code"].as_str();
    given.or(answer["errorData"]["code"].as_str()).unwrap_or_default()
}

fn expect_code(answer: &Value, expected: &str) -> Result<()> {
    ensure!(code(answer) == expected, "{expected} is expected: {answer}");
    Ok(())
}

#[test]
fn in_rust() -> Result<()> {
    signs_in("rust")
}

#[test]
fn in_typescript() -> Result<()> {
    signs_in("typescript")
}

fn signs_in(language: &str) -> Result<()> {
    let mut app = App::start(language)?;
    accounts(&app)?;
    one_email_has_one_account(&app)?;
    wrong_passwords(&app)?;
    refresh_tokens(&app)?;
    users_have_their_own(&app)?;
    sockets(&app)?;
    restarts(&mut app)?;
    secrets(&app)
}

fn accounts(app: &App) -> Result<()> {
    let ada = app.tokens("auth:signUp", &credentials("Ada@Example.com"))?;
    app.expect(&ada.token, ADA)?;
    expect_code(&app.call("auth:signUp", &credentials(ADA))?, "EmailTaken")?;
    expect_code(&app.call("auth:signUp", &credentials("ada"))?, "InvalidEmail")?;
    let short = json!({"email": "b@c", "password": "short"});
    expect_code(&app.call("auth:signUp", &short)?, "PasswordTooShort")?;
    let again = app.tokens("auth:signIn", &credentials(ADA))?;
    app.expect(&again.token, ADA)?;
    // Its token is good for some minutes more, and means nothing to functions.
    app.call("auth:signOut", &json!({"refreshToken": again.refresh}))?;
    app.expect(&again.token, Value::Null)?;
    app.expect(&ada.token, ADA)?;
    let forged = format!("{}A", ada.token);
    app.expect(&forged, "InvalidToken")
}

/// Eight at once: what one has looked up another has written by then.
fn one_email_has_one_account(app: &App) -> Result<()> {
    let barrier = Barrier::new(8);
    let sign_up = || {
        barrier.wait();
        app.call("auth:signUp", &credentials("race@example.com"))
    };
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(sign_up)).collect();
        let join =
            |thread: std::thread::ScopedJoinHandle<'_, Result<Value>>| thread.join().expect("no panic");
        threads.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let made = answers.iter().filter(|answer| answer["value"]["tokens"]["token"].is_string()).count();
    let taken = answers.iter().filter(|answer| code(answer) == "EmailTaken").count();
    ensure!((made, taken) == (1, 7), "{answers:?}");
    app.tokens("auth:signIn", &credentials("race@example.com")).map(drop)
}

/// One answer, and one time, for a wrong password and for nobody's; and an end of trying.
fn wrong_passwords(app: &App) -> Result<()> {
    app.tokens("auth:signUp", &credentials("target@example.com"))?;
    let mut times = [Duration::ZERO; 2];
    for attempt in 0..10 {
        let mut answers = Vec::new();
        for (time, email) in times.iter_mut().zip(["target@example.com", "nobody@example.com"]) {
            let began = Instant::now();
            answers.push(app.sign_in(email, "wrong horse")?["value"].clone());
            *time += began.elapsed();
        }
        ensure!(answers[0] == answers[1], "attempt {attempt}: {answers:?}");
        ensure!(answers[0]["error"]["code"] == "WrongPassword", "attempt {attempt}: {answers:?}");
    }
    let [known, unknown] = times.map(|time| time.as_secs_f64());
    // Without a hash the second would take a tenth of the first. The machine may be busy.
    ensure!(unknown > known / 3.0 && known > unknown / 3.0, "{known} s and {unknown} s");
    for email in ["target@example.com", "nobody@example.com"] {
        expect_code(&app.sign_in(email, PASSWORD)?, "TooManyAttempts")?;
    }
    app.tokens("auth:signIn", &credentials(ADA)).map(drop)
}

fn refresh_tokens(app: &App) -> Result<()> {
    set_well(&app.server, app.data(), &[("AUTH_TOKEN_SECONDS", Some("2"))])?;
    let first = app.tokens("auth:signIn", &credentials(ADA))?;
    app.expect(&first.token, ADA)?;
    let args = json!({"refreshToken": first.refresh});
    let second = app.tokens("auth:refresh", &args)?;
    ensure!(second.refresh != first.refresh && second.token != first.token);
    let third = app.tokens("auth:refresh", &json!({"refreshToken": second.refresh}))?;
    // The first was replaced twice: its reuse is a theft, of which one of the two is the victim.
    expect_code(&app.refresh(&first)?, "SessionEnded")?;
    expect_code(&app.refresh(&third)?, "SessionEnded")?;
    app.expect(&third.token, Value::Null)?;
    let expired = app.tokens("auth:signIn", &credentials(ADA))?;
    // With ten seconds for clocks that differ.
    std::thread::sleep(Duration::from_secs(13));
    app.expect(&expired.token, "InvalidToken")?;
    let renewed = app.tokens("auth:refresh", &json!({"refreshToken": expired.refresh}))?;
    app.expect(&renewed.token, ADA)?;
    set_well(&app.server, app.data(), &[("AUTH_TOKEN_SECONDS", None)])
}

fn users_have_their_own(app: &App) -> Result<()> {
    let ada = app.tokens("auth:signIn", &credentials(ADA))?;
    let bob = app.tokens("auth:signUp", &credentials("bob@example.com"))?;
    let notes = |tokens: &Tokens| {
        let answer = app.call_with(Some(&tokens.token), "query", "notes:list", &json!({}))?;
        Ok::<_, anyhow::Error>(answer["value"].as_array().context("no notes")?.len())
    };
    let add = json!({"text": "water the plants"});
    let added = app.call_with(Some(&ada.token), "mutation", "notes:add", &add)?;
    ensure!((notes(&ada)?, notes(&bob)?) == (1, 0));
    let id = json!({"id": added["value"]});
    expect_code(&app.call_with(Some(&bob.token), "mutation", "notes:remove", &id)?, "NoSuchNote")?;
    expect_code(&app.call("notes:remove", &id)?, "NotSignedIn")?;
    expect_code(&app.call_with(None, "query", "notes:list", &json!({}))?, "NotSignedIn")
}

/// A session that ends is gone from a socket at once, though its token is good for longer.
fn sockets(app: &App) -> Result<()> {
    let ada = app.tokens("auth:signIn", &credentials(ADA))?;
    let session = "00000000-0000-4000-8000-000000000001";
    let mut client = SyncClient::connect(app.server.address(), session, 0)?;
    let authenticate =
        json!({"type": "Authenticate", "baseVersion": 0, "tokenType": "User", "value": ada.token});
    client.send(&authenticate)?;
    client.subscribe(0, 0, "auth:me", &json!({}))?;
    // What a socket shows may be older than what was answered over HTTP.
    let mut me = client.receive_value(0)?;
    if me.is_null() {
        me = client.receive_value(0)?;
    }
    ensure!(me["email"] == ADA, "{me}");
    let elsewhere = app.tokens("auth:signIn", &credentials(ADA))?;
    let change = json!({"password": PASSWORD, "newPassword": "battery staple"});
    let changed = app.call_with(Some(&elsewhere.token), "mutation", "auth:changePassword", &change)?;
    ensure!(changed["value"]["error"].is_null(), "{changed}");
    ensure!(client.receive_value(0)?.is_null());
    expect_code(&app.sign_in(ADA, PASSWORD)?, "WrongPassword")?;
    app.expect(&elsewhere.token, ADA)?;
    let back = json!({"password": "battery staple", "newPassword": PASSWORD});
    app.call_with(Some(&elsewhere.token), "mutation", "auth:changePassword", &back).map(drop)
}

/// Sessions outlive the process, and an address: a token is of the address that it was made at, a session is not.
fn restarts(app: &mut App) -> Result<()> {
    let ada = app.tokens("auth:signIn", &credentials(ADA))?;
    let address = app.server.address().to_string();
    app.restart(&address)?;
    app.expect(&ada.token, ADA)?;
    let renewed = app.tokens("auth:refresh", &json!({"refreshToken": ada.refresh}))?;
    app.expect(&renewed.token, ADA)?;
    app.restart("127.0.0.1:0")?;
    ensure!(app.server.address().to_string() != address, "another port is wanted");
    app.expect(&renewed.token, "InvalidToken")?;
    let moved = app.tokens("auth:refresh", &json!({"refreshToken": renewed.refresh}))?;
    app.expect(&moved.token, ADA)
}

/// No password, hash or token is in what the host says.
fn secrets(app: &App) -> Result<()> {
    let said = format!("{}{}", app.said, app.server.errors());
    ensure!(said.contains("auth:"), "no function is in the log:\n{said}");
    for secret in [PASSWORD, "battery staple", "wrong horse", "$argon2id$", "eyJ"] {
        ensure!(!said.contains(secret), "{secret} is in the log:\n{said}");
    }
    Ok(())
}
