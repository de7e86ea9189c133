//! Argon2id: how a password is hashed, and the text that its hash is kept as.
//!
//! The text is a PHC string, so that hashes can be taken over from other systems and handed on to them. Nothing here
//! knows of calls.
use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;
use weir_value::limits::{
    PASSWORD_HASH_CHARS_MAX, PASSWORD_HASH_LANES_MAX, PASSWORD_HASH_MEMORY_KIB_MAX,
    PASSWORD_HASH_WORK_KIB_MAX,
};

/// What new hashes cost: the least that OWASP recommends of argon2id, 19 MiB gone through twice.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How long salts of new hashes are, in bytes.
pub(super) const SALT_BYTES: usize = 16;
/// How long new hashes are, in bytes.
const OUTPUT_BYTES: usize = 32;

/// What stands at the beginning of every hash that is taken: the algorithm and its version.
const PREFIX: &str = "$argon2id$v=19$";

/// The memory for a hash was not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoMemory;

/// The hash of a password, which was read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PasswordHash {
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl PasswordHash {
    /// Hashes a password.
    pub(super) fn make(password: &str, salt: &[u8; SALT_BYTES]) -> Result<PasswordHash, NoMemory> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES));
        let params = params.expect("the parameters of new hashes are in argon2's bounds");
        let output = compute(&params, password, salt)?;
        Ok(PasswordHash { params, salt: salt.to_vec(), output })
    }

    /// Reads a hash, whoever has made it. What it asks for is bounded.
    ///
    /// # Errors
    /// What is wrong with it, which does not tell what it is.
    pub(super) fn parse(text: &str) -> Result<PasswordHash, &'static str> {
        if text.len() > PASSWORD_HASH_CHARS_MAX {
            return Err("it is too long");
        }
        let rest = text.strip_prefix(PREFIX).ok_or("it does not begin with `$argon2id$v=19$`")?;
        let mut parts = rest.split('$');
        let (Some(costs), Some(salt), Some(output), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("it has not the parts costs, salt and hash");
        };
        let bytes = |text: &str| STANDARD_NO_PAD.decode(text);
        let (salt, output) = bytes(salt)
            .and_then(|salt| Ok((salt, bytes(output)?)))
            .map_err(|_| "its salt or hash is not base64 without padding")?;
        if !(8..=64).contains(&salt.len()) || !(16..=64).contains(&output.len()) {
            return Err("its salt has not 8 to 64 bytes, or its hash not 16 to 64");
        }
        let params = parse_costs(costs, output.len())?;
        Ok(PasswordHash { params, salt, output })
    }

    /// Whether it is this password's. The comparison takes equally long, whatever it compares.
    pub(super) fn verify(&self, password: &str) -> Result<bool, NoMemory> {
        let output = compute(&self.params, password, &self.salt)?;
        Ok(output.ct_eq(&self.output).into())
    }
}

/// `m=19456,t=2,p=1`, in this order.
fn parse_costs(text: &str, output_bytes: usize) -> Result<Params, &'static str> {
    let mut costs = text.split(',');
    let mut cost = |name: &str| {
        let digits = costs.next()?.strip_prefix(name)?;
        // `parse` takes a sign, too.
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?
    };
    let (Some(memory_kib), Some(passes), Some(lanes)) = (cost("m="), cost("t="), cost("p=")) else {
        return Err("its costs are not written `m=...,t=...,p=...`");
    };
    if costs.next().is_some() {
        return Err("it has more parameters than m, t and p");
    }
    let work_kib = u64::from(memory_kib) * u64::from(passes);
    if memory_kib > PASSWORD_HASH_MEMORY_KIB_MAX || work_kib > u64::from(PASSWORD_HASH_WORK_KIB_MAX) {
        return Err("it asks for more than m=65536, or for m times t of more than 262144");
    }
    if lanes > PASSWORD_HASH_LANES_MAX {
        return Err("it asks for more than 16 lanes");
    }
    Params::new(memory_kib, passes, lanes, Some(output_bytes))
        .map_err(|_| "its costs are less than argon2 allows")
}

fn compute(params: &Params, password: &str, salt: &[u8]) -> Result<Vec<u8>, NoMemory> {
    let mut output = vec![0; params.output_len().unwrap_or(OUTPUT_BYTES)];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    match argon2.hash_password_into(password.as_bytes(), salt, &mut output) {
        Ok(()) => Ok(output),
        Err(argon2::Error::OutOfMemory) => Err(NoMemory),
        Err(error) => unreachable!("lengths and costs were checked: {error}"),
    }
}

/// As it is kept.
impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (m, t, p) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        let (salt, output) = (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.output));
        write!(f, "{PREFIX}m={m},t={t},p={p}${salt}${output}")
    }
}
