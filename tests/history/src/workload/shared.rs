//! What all clients of a run share: where the host is, what to do next, what is known, and what has become of it.
//!
//! Not here: any of the clients.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::known::Known;
use super::plan::{Plan, Planned};
use super::recorder::Recorder;

/// What the clients are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Go on.
    Running,
    /// Begin nothing more; end when everything is answered.
    Finishing,
    /// End at once: something has failed.
    Over,
}

/// What has happened, in numbers: a run in which too little has happened proves nothing.
#[derive(Debug, Default)]
pub struct Counters {
    /// Mutations that were answered for the first time.
    pub answers: AtomicU64,
    /// Mutations that were sent again, and answered again.
    pub repeated_answers: AtomicU64,
    /// Mutations that were sent again, answered or not.
    pub sent_again: AtomicU64,
    /// Transitions of sockets.
    pub transitions: AtomicU64,
    /// Values of live queries that came as patches.
    pub patches: AtomicU64,
    /// Queries over HTTP that were answered.
    pub queries: AtomicU64,
    /// Connections that the clients have cut.
    pub cuts: AtomicU64,
    /// Connections that ended otherwise, by the end of the host.
    pub lost_connections: AtomicU64,
}

/// What all clients share.
#[derive(Debug)]
pub struct Shared {
    /// Where the host listens, when there is one.
    pub address: SocketAddr,
    /// Where the choices come from.
    pub seed: u64,
    /// The run's number on its data: sessions of different runs must not be the same.
    pub episode: u32,
    /// What happened.
    pub counters: Counters,
    /// What is written down.
    pub recorder: Recorder,
    /// What is known of lists.
    pub known: Known,
    plan: Plan,
    next: AtomicU32,
    phase: AtomicU8,
    is_host_up: AtomicBool,
    /// Who waits for an answer, and whether it does.
    waiter: Thread,
    is_awaited: AtomicBool,
}

impl Shared {
    /// A run that begins with the transaction `first` of its seed, and is driven by the thread that is running.
    #[must_use]
    pub fn new(address: SocketAddr, seed: u64, episode: u32, first: u32) -> Shared {
        Shared {
            address,
            seed,
            episode,
            counters: Counters::default(),
            recorder: Recorder::default(),
            known: Known::default(),
            plan: Plan::new(seed, first),
            next: AtomicU32::new(first),
            phase: AtomicU8::new(Phase::Running as u8),
            is_host_up: AtomicBool::new(false),
            waiter: std::thread::current(),
            is_awaited: AtomicBool::new(false),
        }
    }

    /// Whether there is a host to connect to. Where there is none, trying now and then makes a socket connect to itself,
    /// and take the address that the next host is to have.
    pub fn is_host_up(&self) -> bool {
        self.is_host_up.load(Ordering::SeqCst)
    }

    /// A host is ready, or about to be ended. For the driving thread alone.
    pub fn set_host_up(&self, is_up: bool) {
        self.is_host_up.store(is_up, Ordering::SeqCst);
    }

    /// A mutation was answered, a moment ago.
    pub fn note_answer(&self) {
        count(&self.counters.answers);
        if self.is_awaited.swap(false, Ordering::SeqCst) {
            self.waiter.unpark();
        }
    }

    /// Waits for the next answer, so as to be there right behind it; `wait` at most. For the driving thread alone.
    pub fn await_answer(&self, wait: Duration) {
        let deadline = Instant::now() + wait;
        self.is_awaited.store(true, Ordering::SeqCst);
        while self.is_awaited.load(Ordering::SeqCst) && Instant::now() < deadline {
            std::thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    }

    /// The next mutation, ready to be sent.
    pub fn next_mutation(&self) -> Planned {
        let mut planned = self.plan.mutation(self.next.fetch_add(1, Ordering::Relaxed));
        planned.steps.iter_mut().for_each(|step| self.known.resolve(step));
        planned
    }

    /// Reads for a query now. `purpose` tells the queries of one timestamp apart.
    pub fn look(&self, purpose: u64) -> Vec<super::step::Step> {
        let mut steps = self.plan.look(self.number(), purpose);
        steps.iter_mut().for_each(|step| self.known.resolve(step));
        steps
    }

    /// The number of the transaction that is next.
    pub fn number(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    /// The first table that the run may touch.
    pub fn first_table(&self) -> u32 {
        self.plan.first_table()
    }

    /// What to do.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Running,
            1 => Phase::Finishing,
            _ => Phase::Over,
        }
    }

    /// Goes on to a later phase; never back.
    pub fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::SeqCst);
    }
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
