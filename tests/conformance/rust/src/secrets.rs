//! Passwords, random bytes for secrets, and digests.

use weir::prelude::*;

use crate::told;

/// The hash of a password.
#[mutation]
fn hash(ctx: &MutationCtx, password: String) -> Result<String> {
    log!("hashing");
    ctx.hash_password(&password)
}

/// Whether this is the password of a hash.
#[mutation]
fn verify(ctx: &MutationCtx, password: String, hash: String) -> Result<bool> {
    log!("verifying");
    ctx.verify_password(&password, &hash)
}

/// The same, in words.
#[mutation]
fn tell(ctx: &MutationCtx, password: String, hash: String) -> String {
    let name = |is_right: bool| if is_right { "right" } else { "wrong" }.to_owned();
    told(ctx.verify_password(&password, &hash), name)
}

/// Hashes a password, or tells why not.
#[mutation]
fn try_hash(ctx: &MutationCtx, password: String) -> String {
    told(ctx.hash_password(&password), |hash| format!("{} characters", hash.len()))
}

/// Holds so many passwords against a hash, and counts those that are right.
#[mutation]
fn many(ctx: &MutationCtx, hash: String, count: u32) -> Result<u32> {
    let mut right = 0;
    for number in 0..count {
        right += u32::from(ctx.verify_password(&format!("password{number}"), &hash)?);
    }
    Ok(right)
}

/// Changes a password: the old one has to be right. What is written before stays written once.
#[mutation]
fn change(ctx: &MutationCtx, old: String, next: String, hash: String) -> Result<String> {
    ctx.db.insert("changes", &fields! { old: hash.clone() })?;
    ensure!(ctx.verify_password(&old, &hash)?, "this is not the password");
    let hash = ctx.hash_password(&next)?;
    ctx.db.insert("changes", &fields! { new: hash.clone() })?;
    Ok(hash)
}

/// Random bytes, twice: the second time by the language's own call for them, if it has one.
#[query]
fn random(ctx: &QueryCtx) -> Vec<Bytes> {
    [ctx.random_bytes::<16>(), ctx.random_bytes::<16>()].map(|bytes| Bytes(bytes.to_vec())).into()
}

/// The SHA-256 digest of some bytes.
#[query]
fn sha256(_ctx: &QueryCtx, data: Bytes) -> Bytes {
    Bytes(weir::sha256(data.0).to_vec())
}
