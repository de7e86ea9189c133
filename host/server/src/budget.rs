//! Whose memory is counted where: the process's account, those of addresses, those of connections.
//!
//! How an account counts and whom it refuses is `weir_sync::budget`'s matter.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use weir_db::CallError;
use weir_sync::budget::{Account, Held, Holder, Overdrawn};
use weir_value::{ErrorCode, limits};

use crate::address::network_of;

/// Below so many addresses nobody looks whether some of them are gone.
const ADDRESSES_KEPT_MIN: usize = 64;

/// What the process may hold for its clients.
pub struct Budget {
    process: Arc<Account>,
    /// Results that several sockets watch.
    shared_results: Arc<Account>,
    addresses: Mutex<Addresses>,
}

#[derive(Default)]
struct Addresses {
    accounts: HashMap<IpAddr, Weak<Account>>,
    /// So many at which to look for those that are gone.
    sweep_at: usize,
}

/// What one connection may hold.
#[derive(Clone)]
pub struct ConnectionBudget {
    /// What it has sent, and what it has not taken yet.
    pub requests: Arc<Account>,
    /// What it watches alone.
    pub results: Arc<Account>,
}

impl Budget {
    /// Of a process that may hold so much for its clients.
    pub fn new(bytes: usize) -> Budget {
        let process = Account::process(bytes);
        Budget {
            shared_results: process.below(Holder::Process, bytes / limits::BUDGET_PART_OF_ADDRESS),
            process,
            addresses: Mutex::default(),
        }
    }

    /// That of a connection from this address. This machine's own addresses have no account: behind a proxy all clients
    /// come from there.
    pub fn connection(&self, address: IpAddr) -> ConnectionBudget {
        let above = match address.to_canonical().is_loopback() {
            true => Arc::clone(&self.process),
            false => self.address(network_of(address)),
        };
        let bytes = self.process.bytes_max() / limits::BUDGET_PART_OF_CONNECTION;
        ConnectionBudget {
            requests: above.below(Holder::Connection, bytes),
            results: above.below(Holder::Connection, bytes),
        }
    }

    fn address(&self, address: IpAddr) -> Arc<Account> {
        let mut addresses = self.addresses.lock();
        if let Some(account) = addresses.accounts.get(&address).and_then(Weak::upgrade) {
            return account;
        }
        if addresses.accounts.len() >= addresses.sweep_at {
            addresses.accounts.retain(|_, account| account.strong_count() > 0);
            addresses.sweep_at = (addresses.accounts.len() * 2).max(ADDRESSES_KEPT_MIN);
        }
        let bytes = self.process.bytes_max() / limits::BUDGET_PART_OF_ADDRESS;
        let account = self.process.below(Holder::Address, bytes);
        addresses.accounts.insert(address, Arc::downgrade(&account));
        account
    }

    /// Where results count that several sockets watch.
    pub fn shared_results(&self) -> Arc<Account> {
        Arc::clone(&self.shared_results)
    }

    /// Whether somebody who holds much may be given more.
    pub fn has_room(&self) -> bool {
        self.process.bytes() < self.process.bytes_max() / 4 * 3
    }

    /// What nobody is refused for counts here.
    pub fn process(&self) -> &Arc<Account> {
        &self.process
    }

    /// How much is held as this.
    pub fn held(&self, kind: Held) -> usize {
        self.process.held(kind)
    }
}

/// Counts how a call ended, for as long as its value is somewhere.
///
/// # Errors
/// There is no room for it.
pub fn charge_outcome(
    account: &Arc<Account>,
    result: &mut Result<Bytes, CallError>,
    log_lines: &[String],
) -> Result<(), Overdrawn> {
    let value = match result {
        Ok(value) => value,
        Err(CallError { data: Some(data), .. }) => data,
        Err(_) => return Ok(()),
    };
    let lines: usize = log_lines.iter().map(|line| size_of::<String>() + line.len()).sum();
    let bytes = value.len() + lines;
    if bytes > limits::ANSWER_BYTES_UNCOUNTED {
        *value = account.charge(Held::Answers, bytes)?.attach(std::mem::take(value));
    }
    Ok(())
}

/// How a call ends that has done what it does, and for whose result there is no room: nobody can ask for that again.
pub fn lost_result(error: Overdrawn) -> CallError {
    let code = ErrorCode::Overloaded;
    CallError::new(code, format!("{code}: The function has run, and its result is lost. {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_holds_a_half_whatever_its_connections_are() {
        let budget = Budget::new(96 * MIB);
        let mut held = Vec::new();
        for at in 0..20 {
            let connection = budget.connection(ip("203.0.113.7"));
            held.extend(connection.requests.charge(Held::Bodies, 4 * MIB).map(|charge| (at, charge)).ok());
        }
        assert_eq!(held.len(), 9, "three quarters of a half, by those who hold much");
        let other = budget.connection(ip("203.0.113.8"));
        let _other = other.requests.charge(Held::Bodies, 20 * MIB).expect("another address has room");
        let local = budget.connection(ip("127.0.0.1"));
        local.results.charge(Held::Results, 16 * MIB).expect("this machine has no account of its own");
        assert_eq!(budget.addresses.lock().accounts.len(), 2);
    }

    #[test]
    fn networks_are_one_address_and_mapped_ones_are_what_they_are() {
        for (one, other) in [("2001:db8::1", "2001:db8::ffff:1"), ("::ffff:203.0.113.7", "203.0.113.7")] {
            let budget = Budget::new(96 * MIB);
            let charge = budget.connection(ip(one)).requests.charge(Held::Bodies, 30 * MIB).unwrap();
            assert!(budget.connection(ip(other)).requests.charge(Held::Bodies, 30 * MIB).is_err(), "{one}");
            drop(charge);
            budget.connection(ip(other)).requests.charge(Held::Bodies, 30 * MIB).expect("room again");
        }
        let budget = Budget::new(96 * MIB);
        let _charge = budget.connection(ip("2001:db8::1")).requests.charge(Held::Bodies, 30 * MIB).unwrap();
        budget
            .connection(ip("2001:db8:0:1::1"))
            .requests
            .charge(Held::Bodies, 30 * MIB)
            .expect("another network");
    }

    #[test]
    fn addresses_that_are_gone_are_forgotten() {
        let budget = Budget::new(96 * MIB);
        for number in 0..10_000_u32 {
            budget.connection(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
        }
        assert!(budget.addresses.lock().accounts.len() <= 2 * ADDRESSES_KEPT_MIN);
    }
}
