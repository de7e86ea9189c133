//! Who holds how much.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use weir_value::limits::{BUDGET_GRANTED_BYTES, BUDGET_LIGHT_BYTES};

use super::{Charge, Held, Holder, Overdrawn};

/// What somebody holds, and may hold.
#[derive(Debug)]
pub struct Account {
    holder: Holder,
    bytes_max: usize,
    above: Option<Arc<Account>>,
    bytes: AtomicUsize,
    /// The same by what it is; kept by those above which there is none.
    by_kind: [AtomicUsize; Held::ALL.len()],
    /// How often there was no room, by whose account was full; kept there too.
    refused: [AtomicU64; Holder::ALL.len()],
}

impl Account {
    /// One above which there is none.
    pub fn process(bytes_max: usize) -> Arc<Account> {
        Arc::new(Account::new(Holder::Process, bytes_max, None))
    }

    /// One that refuses nothing: for tests, and for who counts only.
    pub fn unlimited() -> Arc<Account> {
        Account::process(usize::MAX)
    }

    /// One whose bytes count here too.
    pub fn below(self: &Arc<Self>, holder: Holder, bytes_max: usize) -> Arc<Account> {
        Arc::new(Account::new(holder, bytes_max, Some(Arc::clone(self))))
    }

    fn new(holder: Holder, bytes_max: usize, above: Option<Arc<Account>>) -> Account {
        let (by_kind, refused) = Default::default();
        Account { holder, bytes_max, above, bytes: AtomicUsize::new(0), by_kind, refused }
    }

    /// How much is held.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How much may be held.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// How much of this kind everybody holds.
    pub fn held(&self, kind: Held) -> usize {
        match &self.above {
            Some(above) => above.held(kind),
            None => self.by_kind[kind as usize].load(Ordering::Relaxed),
        }
    }

    /// Counts `bytes`, if there is room for them.
    ///
    /// # Errors
    /// There is not.
    pub fn charge(self: &Arc<Self>, kind: Held, bytes: usize) -> Result<Charge, Overdrawn> {
        self.charge_instead(kind, bytes, 0)
    }

    /// The same for something that takes the place of something of `replaced` bytes, which is held until then: what does
    /// not grow always has room.
    ///
    /// # Errors
    /// There is no room for the difference.
    pub fn charge_instead(
        self: &Arc<Self>,
        kind: Held,
        bytes: usize,
        replaced: usize,
    ) -> Result<Charge, Overdrawn> {
        self.admit(bytes, replaced)?;
        self.count_kind(kind, bytes);
        Ok(Charge::of(Arc::clone(self), kind, bytes))
    }

    /// Counts what is there already, also where there is no room for it.
    pub fn hold(self: &Arc<Self>, kind: Held, bytes: usize) -> Charge {
        self.add(kind, bytes);
        Charge::of(Arc::clone(self), kind, bytes)
    }

    /// Adds `bytes` here and above, if all have room.
    pub(super) fn admit(&self, bytes: usize, replaced: usize) -> Result<(), Overdrawn> {
        let own = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let own = own.saturating_sub(replaced);
        let is_refusable = own > BUDGET_GRANTED_BYTES && bytes > replaced;
        if is_refusable && own > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(self.refuse(self.holder));
        }
        let mut added = self;
        while let Some(above) = added.above.as_deref() {
            let all = above.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
            if is_refusable && all.saturating_sub(replaced) > above.room_for(own) {
                above.bytes.fetch_sub(bytes, Ordering::Relaxed);
                self.take_back(bytes, above);
                return Err(self.refuse(above.holder));
            }
            added = above;
        }
        Ok(())
    }

    /// How often somebody was refused because such an account was full.
    pub fn refused(&self, holder: Holder) -> u64 {
        self.top().refused[holder as usize].load(Ordering::Relaxed)
    }

    fn refuse(&self, holder: Holder) -> Overdrawn {
        self.top().refused[holder as usize].fetch_add(1, Ordering::Relaxed);
        Overdrawn(holder)
    }

    /// How full it may become by one who holds so much.
    fn room_for(&self, own: usize) -> usize {
        match own <= BUDGET_LIGHT_BYTES {
            true => self.bytes_max,
            false => self.bytes_max - self.bytes_max / 4,
        }
    }

    /// Takes back what was added here and in those above, up to `end`.
    fn take_back(&self, bytes: usize, end: &Account) {
        let mut account = self;
        while !std::ptr::eq(account, end) {
            account.bytes.fetch_sub(bytes, Ordering::Relaxed);
            let Some(above) = account.above.as_deref() else { return };
            account = above;
        }
    }

    pub(super) fn add(&self, kind: Held, bytes: usize) {
        let mut account = Some(self);
        while let Some(this) = account {
            this.bytes.fetch_add(bytes, Ordering::Relaxed);
            account = this.above.as_deref();
        }
        self.count_kind(kind, bytes);
    }

    pub(super) fn subtract(&self, kind: Held, bytes: usize) {
        let mut account = self;
        account.bytes.fetch_sub(bytes, Ordering::Relaxed);
        while let Some(above) = account.above.as_deref() {
            above.bytes.fetch_sub(bytes, Ordering::Relaxed);
            account = above;
        }
        account.by_kind[kind as usize].fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_kind(&self, kind: Held, bytes: usize) {
        self.top().by_kind[kind as usize].fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn change_kind(&self, from: Held, to: Held, bytes: usize) {
        let by_kind = &self.top().by_kind;
        by_kind[from as usize].fetch_sub(bytes, Ordering::Relaxed);
        by_kind[to as usize].fetch_add(bytes, Ordering::Relaxed);
    }

    fn top(&self) -> &Account {
        let mut account = self;
        while let Some(above) = account.above.as_deref() {
            account = above;
        }
        account
    }
}
