//! The functions on a database in memory: `cargo test`.

use std::time::Duration;

use notes as _;
use weir::prelude::*;
use weir_test::{Database, Error, User};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PASSWORD: &str = "correct horse";
const OTHER: &str = "battery staple";
const MINUTE: Duration = Duration::from_secs(60);
const MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

#[value]
#[serde(rename_all = "camelCase")]
struct Tokens {
    token: String,
    refresh_token: String,
    seconds: f64,
}

#[value]
struct Problem {
    code: String,
    message: String,
}

#[value]
struct Answer {
    tokens: Option<Tokens>,
    error: Option<Problem>,
}

#[value]
struct Claims {
    sub: String,
    aud: String,
    #[serde(rename = "sessionId")]
    session_id: String,
    iat: f64,
    exp: f64,
}

impl Answer {
    fn tokens(self) -> Tokens {
        self.tokens.unwrap_or_else(|| panic!("no tokens: {:?}", self.error.map(|error| error.code)))
    }

    fn code(self) -> String {
        self.error.expect("an error").code
    }
}

fn credentials(email: &str, password: &str) -> Fields {
    fields! { email: email, password: password }
}

fn sign_up(db: &Database, email: &str) -> Tokens {
    db.mutation::<Answer>("auth:signUp", credentials(email, PASSWORD)).unwrap().tokens()
}

fn sign_in(db: &Database, email: &str, password: &str) -> Answer {
    db.mutation("auth:signIn", credentials(email, password)).unwrap()
}

fn refresh(db: &Database, tokens: &Tokens) -> Answer {
    db.mutation("auth:refresh", fields! { refreshToken: &tokens.refresh_token }).unwrap()
}

fn sign_out(db: &Database, refresh_token: &str) {
    db.mutation::<()>("auth:signOut", fields! { refreshToken: refresh_token }).unwrap();
}

fn claims(db: &Database, tokens: &Tokens) -> Claims {
    db.verify_token(&tokens.token).unwrap()
}

/// The database as the tokens' user calls it.
fn user<'db>(db: &'db Database, tokens: &Tokens) -> User<'db> {
    let Claims { sub, session_id, .. } = claims(db, tokens);
    db.as_user(fields! { subject: sub, sessionId: session_id })
}

fn me(user: &User<'_>) -> Option<String> {
    let me: Option<Value> = user.query("auth:me", fields! {}).unwrap();
    me.map(|me| me.get("email").and_then(Value::as_str).expect("an e-mail").to_owned())
}

fn code_of<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().data::<Problem>().expect("data").code
}

#[test]
fn a_user_signs_up_and_in_again() {
    let db = Database::new();
    let ada = sign_up(&db, " Ada@Example.com ");
    assert_eq!(me(&user(&db, &ada)).as_deref(), Some(ADA));
    let again = sign_in(&db, ADA, PASSWORD).tokens();
    assert_eq!(me(&user(&db, &again)).as_deref(), Some(ADA));
    assert!(db.query::<Option<Value>>("auth:me", fields! {}).unwrap().is_none());
}

#[test]
fn a_token_is_good_for_minutes_and_for_this_app() {
    let db = Database::new();
    db.set_variable("AUTH_TOKEN_SECONDS", "60");
    let ada = sign_up(&db, ADA);
    let Claims { aud, iat, exp, .. } = claims(&db, &ada);
    assert_eq!((aud.as_str(), exp - iat, ada.seconds), ("notes", 60.0, 60.0));
    db.advance(MINUTE);
    assert!(db.verify_token::<Claims>(&ada.token).is_err());
}

#[test]
fn what_cannot_be_an_account_is_refused() {
    let db = Database::new();
    sign_up(&db, ADA);
    let long = format!("{}@c.de", "x".repeat(250));
    for (email, password, code) in [
        ("ada", PASSWORD, "InvalidEmail"),
        ("a b@c", PASSWORD, "InvalidEmail"),
        ("a@b@c", PASSWORD, "InvalidEmail"),
        (long.as_str(), PASSWORD, "InvalidEmail"),
        (BOB, "short", "PasswordTooShort"),
        (BOB, &"x".repeat(1025), "PasswordTooLong"),
        ("ADA@example.com", PASSWORD, "EmailTaken"),
    ] {
        let result = db.mutation::<Answer>("auth:signUp", credentials(email, password));
        assert_eq!(code_of(result.map(|_| ())), code);
    }
}

#[test]
fn a_wrong_password_an_impossible_one_and_an_unknown_email_get_one_answer() {
    let db = Database::new();
    sign_up(&db, ADA);
    let long = "x".repeat(1025);
    for (email, password) in [(ADA, "wrong horse"), (ADA, ""), (ADA, &long), (BOB, PASSWORD), (BOB, "")] {
        let error = sign_in(&db, email, password).error.expect("an error");
        assert_eq!(error.code, "WrongPassword");
        assert_eq!(error.message, "The e-mail or the password is wrong.");
    }
}

#[test]
fn after_ten_wrong_passwords_none_is_tried_for_a_while() {
    let db = Database::new();
    sign_up(&db, ADA);
    for email in [ADA, BOB] {
        for _ in 0..10 {
            assert_eq!(sign_in(&db, email, "wrong horse").code(), "WrongPassword");
        }
        assert_eq!(sign_in(&db, email, PASSWORD).code(), "TooManyAttempts");
    }
    db.advance(15 * MINUTE);
    sign_in(&db, ADA, PASSWORD).tokens();
    for _ in 0..2 {
        (0..9).for_each(|_| drop(sign_in(&db, ADA, "wrong horse")));
        sign_in(&db, ADA, PASSWORD).tokens();
    }
}

#[test]
fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let db = Database::new();
    let first = sign_up(&db, ADA);
    let second = refresh(&db, &first).tokens();
    let third = refresh(&db, &second).tokens();
    assert_eq!(me(&user(&db, &third)).as_deref(), Some(ADA));
    let third_user = user(&db, &third);
    db.advance(MINUTE);
    assert_eq!(refresh(&db, &second).code(), "SessionEnded");
    assert_eq!(refresh(&db, &third).code(), "SessionEnded");
    assert_eq!(me(&third_user), None);
}

#[test]
fn an_answer_that_was_lost_can_be_asked_for_again_for_a_moment() {
    let db = Database::new();
    let first = sign_up(&db, ADA);
    let lost = refresh(&db, &first).tokens();
    let again = refresh(&db, &first).tokens();
    db.advance(10 * MINUTE);
    let next = refresh(&db, &again).tokens();
    db.advance(MINUTE);
    // Used after all, it is a second use.
    assert_eq!(refresh(&db, &lost).code(), "SessionEnded");
    assert_eq!(refresh(&db, &next).code(), "SessionEnded");
}

#[test]
fn two_tabs_that_refresh_at_once_stay_signed_in_whichever_token_they_keep() {
    let db = Database::new();
    for (email, keeps_first) in [(ADA, true), (BOB, false)] {
        let first = sign_up(&db, email);
        let (one, two) = (refresh(&db, &first).tokens(), refresh(&db, &first).tokens());
        db.advance(10 * MINUTE);
        let next = refresh(&db, if keeps_first { &one } else { &two }).tokens();
        assert_eq!(me(&user(&db, &next)).as_deref(), Some(email));
    }
}

#[test]
fn what_is_no_refresh_token_ends_nothing() {
    let db = Database::new();
    let ada = sign_up(&db, ADA);
    for refresh_token in ["", ".", "x.y", &"0".repeat(32), &format!(".{}", ada.refresh_token)] {
        let answer: Answer = db.mutation("auth:refresh", fields! { refreshToken: refresh_token }).unwrap();
        assert_eq!(answer.code(), "SessionEnded");
        sign_out(&db, refresh_token);
    }
    assert_eq!(me(&user(&db, &ada)).as_deref(), Some(ADA));
}

#[test]
fn signing_out_ends_one_session() {
    let db = Database::new();
    let here = sign_up(&db, ADA);
    let there = sign_in(&db, ADA, PASSWORD).tokens();
    sign_out(&db, &here.refresh_token);
    sign_out(&db, &here.refresh_token);
    assert_eq!(me(&user(&db, &here)), None);
    assert_eq!(refresh(&db, &here).code(), "SessionEnded");
    assert_eq!(me(&user(&db, &there)).as_deref(), Some(ADA));
}

#[test]
fn another_password_ends_all_other_sessions() {
    let db = Database::new();
    let here = sign_up(&db, ADA);
    let there = sign_in(&db, ADA, PASSWORD).tokens();
    let change = |password: &str, new: &str| fields! { password: password, newPassword: new };
    let nobody = db.mutation::<Answer>("auth:changePassword", change(PASSWORD, OTHER));
    assert_eq!(code_of(nobody.map(|_| ())), "NotSignedIn");
    let ada = user(&db, &here);
    let short = ada.mutation::<Answer>("auth:changePassword", change(PASSWORD, "short"));
    assert_eq!(code_of(short.map(|_| ())), "PasswordTooShort");
    let wrong: Answer = ada.mutation("auth:changePassword", change("wrong horse", OTHER)).unwrap();
    assert_eq!(wrong.code(), "WrongPassword");
    let changed: Answer = ada.mutation("auth:changePassword", change(PASSWORD, OTHER)).unwrap();
    assert!(changed.error.is_none());
    assert_eq!(me(&ada).as_deref(), Some(ADA));
    assert_eq!(me(&user(&db, &there)), None);
    assert_eq!(sign_in(&db, ADA, PASSWORD).code(), "WrongPassword");
    sign_in(&db, ADA, OTHER).tokens();
}

#[test]
fn a_session_that_nobody_comes_back_to_ends_and_is_removed() {
    let db = Database::new();
    let old = sign_up(&db, ADA);
    db.advance(MONTH);
    assert_eq!(refresh(&db, &old).code(), "SessionEnded");
    sign_in(&db, ADA, PASSWORD).tokens();
    db.advance(MONTH);
    sign_in(&db, ADA, PASSWORD).tokens();
    let removed = |written: &weir_test::Written| written.table == "sessions" && written.document.is_none();
    assert!(db.last().writes.iter().any(removed));
}

#[test]
fn the_database_has_no_password_and_no_refresh_token() {
    let db = Database::new();
    let ada = sign_up(&db, ADA);
    let documents = db.last().writes.into_iter().filter_map(|written| written.document);
    let written: String = documents.map(|json| String::from_utf8(json.to_vec()).unwrap()).collect();
    assert!(written.contains("$argon2id$"));
    assert!(!written.contains(PASSWORD));
    assert!(!written.contains(ada.refresh_token.split_once('.').unwrap().1));
}

#[test]
fn each_user_has_notes_of_their_own() {
    let db = Database::new();
    let (ada, bob) = (sign_up(&db, ADA), sign_up(&db, BOB));
    let (adas, bobs) = (user(&db, &ada), user(&db, &bob));
    let id: Id = adas.mutation("notes:add", fields! { text: " water the plants " }).unwrap();
    let count = |user: &User<'_>| user.query::<Vec<Value>>("notes:list", fields! {}).unwrap().len();
    assert_eq!((count(&adas), count(&bobs)), (1, 0));
    assert_eq!(code_of(bobs.mutation::<()>("notes:remove", fields! { id: &id })), "NoSuchNote");
    assert_eq!(code_of(adas.mutation::<Id>("notes:add", fields! { text: " " })), "EmptyNote");
    assert_eq!(code_of(db.query::<Vec<Value>>("notes:list", fields! {})), "NotSignedIn");
    // The session of one, the name of another.
    let (sub, session_id) = (claims(&db, &bob).sub, claims(&db, &ada).session_id);
    let forged = db.as_user(fields! { subject: sub, sessionId: session_id });
    assert_eq!(code_of(forged.query::<Vec<Value>>("notes:list", fields! {})), "NotSignedIn");
    adas.mutation::<()>("notes:remove", fields! { id: id }).unwrap();
    assert_eq!(count(&adas), 0);
}
