//! Whose an e-mail is, and whether a password is right.

use weir::prelude::*;

use crate::problem::{Problem, problem};

#[document("users", index(by_email = [email]))]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// In lower case.
    pub email: String,
    pub password_hash: String,
}

/// How often a wrong password was given for an e-mail, whether or not somebody has it.
#[document("failures", index(by_email = [email]))]
struct Failures {
    email: String,
    count: f64,
}

/// So many wrong passwords for an e-mail
const FAILURES_MAX: f64 = 10.0;
/// within this time, and none is tried any more.
const FAILURES_MS: f64 = 15.0 * 60.0 * 1000.0;
const PASSWORD_CHARS_MIN: usize = 8;
/// More the host does not hash.
const PASSWORD_BYTES_MAX: usize = 1024;

/// The hash of no password, so that an e-mail which nobody has takes as long as one that somebody has.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$K3gBRE63PmOnXfDEiyQF6A$AVvtsf5Vcfe3pt8uF8zL97to6KCq8yR36dl0p/zAoGM";

/// The one way in which an e-mail address is kept.
pub fn normalized(email: &str) -> Result<String> {
    let normal = email.trim().to_lowercase();
    let is_address = match normal.split_once('@') {
        Some((name, domain)) => !name.is_empty() && !domain.is_empty() && !domain.contains('@'),
        None => false,
    };
    match is_address && normal.len() <= 254 && !normal.contains(char::is_whitespace) {
        true => Ok(normal),
        false => Err(problem("InvalidEmail", "This is not an e-mail address.")),
    }
}

/// Refuses what nobody may have as a password.
pub fn check_new_password(password: &str) -> Result<()> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        let message = format!("A password has at least {PASSWORD_CHARS_MIN} characters.");
        return Err(problem("PasswordTooShort", message));
    }
    match is_possible(password) {
        true => Ok(()),
        false => Err(problem("PasswordTooLong", "This password is too long.")),
    }
}

fn is_possible(password: &str) -> bool {
    (1..=PASSWORD_BYTES_MAX).contains(&password.len())
}

/// Who has this e-mail.
pub fn user_of(ctx: &MutationCtx, email: &str) -> Result<Option<Doc<User>>> {
    ctx.db.query("users").with_index(User::BY_EMAIL, |range| range.eq(email)).unique()
}

/// `None` if this is the password of the e-mail, whose hash is `None` if nobody has it; else what to answer. Wrong ones
/// are counted, so whoever calls this must not fail then.
pub fn check_password(
    ctx: &MutationCtx,
    email: &str,
    hash: Option<&str>,
    password: &str,
) -> Result<Option<Problem>> {
    let since = ctx.now() - FAILURES_MS;
    let by_email = ctx.db.query("failures").with_index(Failures::BY_EMAIL, |range| range.eq(email));
    let failures = by_email.unique()?;
    let recent = failures.as_ref().filter(|failures| failures.creation_time > since);
    if recent.is_some_and(|failures| failures.count >= FAILURES_MAX) {
        let message = "Too many wrong passwords. Try again in a quarter of an hour.";
        return Ok(Some(Problem::new("TooManyAttempts", message)));
    }
    let tried = if is_possible(password) { password } else { "-" };
    let is_right = ctx.verify_password(tried, hash.unwrap_or(NOBODYS_HASH))?;
    if is_right && tried == password {
        failures.map_or(Ok(()), |failures| ctx.db.delete(&failures.id))?;
        return Ok(None);
    }
    match recent {
        Some(recent) => ctx.db.patch(&recent.id, fields! { count: recent.count + 1.0 })?,
        None => {
            failures.map_or(Ok(()), |failures| ctx.db.delete(&failures.id))?;
            remove_failures(ctx, since)?;
            ctx.db.insert("failures", &Failures { email: email.to_owned(), count: 1.0 })?;
        }
    }
    Ok(Some(Problem::new("WrongPassword", "The e-mail or the password is wrong.")))
}

/// Removes some of those that no longer count.
fn remove_failures(ctx: &MutationCtx, since: f64) -> Result<()> {
    let old = ctx.db.query::<Failures>("failures").by_creation_time(|time| time.lt(since)).take(20)?;
    old.iter().try_for_each(|failures| ctx.db.delete(&failures.id))
}
