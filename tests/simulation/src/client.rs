//! Clients: threads that take turns, so that calls overlap in an order that the seed decides.
//!
//! A call runs on its client's thread, inside the database, and stops in its midst wherever its program comes
//! to a [`Report`]; it goes on when it is told to. One thread runs at any time, the client's or the driver's.
//!
//! Not here: who goes on, and what is done with what is reported.

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{JoinHandle, Thread};

use parking_lot::Mutex;
use weir_db::{Call, Database, MutationOutcome, QueryOutcome, SessionRequest};
use weir_store::planted::{self, Bug};
use weir_store::{Env, RealEnv, Snapshot, Timestamp};

use crate::program::{Output, Program, Stopped};

/// What the driver says.
pub(crate) enum Order {
    Start(Box<Task>, Stretch),
    Go(Stretch),
    /// The process has gone: end without any effect.
    Stop,
    /// There will be no more calls.
    Leave,
}

/// How far a client goes before the driver has its say again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// Reports, the last one included.
    pub(crate) reports: u32,
    /// Whether a commit may follow at once: nobody else holds the database's gate.
    pub(crate) may_commit: bool,
}

/// A call to be made.
pub(crate) struct Task {
    pub(crate) bug: Option<Bug>,
    pub(crate) db: Arc<Database>,
    pub(crate) call: Call,
    pub(crate) program: Arc<Program>,
    pub(crate) kind: TaskKind,
}

#[derive(Clone)]
pub(crate) enum TaskKind {
    Mutation(Option<SessionRequest>),
    Query(Arc<Snapshot>),
}

/// Where a call stands.
pub(crate) enum Report {
    /// A run began at a snapshot; a serial one holds the database's gate until the call ends.
    Began { at: Timestamp, is_serial: bool },
    /// An operation is done.
    Did(Output),
    /// In the midst of an operation.
    Within,
    /// The program is over; its commit comes next.
    Ends,
    /// The call is over.
    Finished(Box<Finished>),
}

/// How a call ended.
pub(crate) enum Finished {
    Mutation(MutationOutcome),
    Query(QueryOutcome),
    Panicked(String),
}

/// A place for one thing that one thread hands to another.
struct Hatch<T>(Mutex<Option<T>>);

impl<T> Hatch<T> {
    const fn new() -> Hatch<T> {
        Hatch(Mutex::new(None))
    }

    fn put(&self, thing: T, receiver: &Thread) {
        *self.0.lock() = Some(thing);
        receiver.unpark();
    }

    fn take(&self) -> T {
        loop {
            if let Some(thing) = self.0.lock().take() {
                return thing;
            }
            std::thread::park();
        }
    }
}

/// What lies between the driver and a client.
struct Counter {
    orders: Hatch<Order>,
    reports: Hatch<Vec<Report>>,
}

/// The driver's end of a client.
pub(crate) struct Seat {
    counter: Arc<Counter>,
    thread: Option<JoinHandle<()>>,
}

thread_local! {
    /// Clients without a call, of runs that are over: to start a thread costs as much as ten calls.
    static IDLE: RefCell<Vec<Seat>> = const { RefCell::new(Vec::new()) };
}

impl Seat {
    /// A client that waits for its first call.
    pub(crate) fn take() -> Seat {
        IDLE.with_borrow_mut(Vec::pop).unwrap_or_else(Seat::start)
    }

    /// Gives the client back, which must have no call.
    pub(crate) fn give_back(self) {
        IDLE.with_borrow_mut(|idle| idle.push(self));
    }

    fn start() -> Seat {
        let counter = Arc::new(Counter { orders: Hatch::new(), reports: Hatch::new() });
        let (at_port, driver) = (Arc::clone(&counter), std::thread::current());
        let thread = RealEnv::new().spawn("client", Box::new(move || Port::live(at_port, driver)));
        Seat { counter, thread: Some(thread) }
    }

    /// Lets the client go on; gives what it reports meanwhile, oldest first.
    pub(crate) fn tell(&self, order: Order) -> Vec<Report> {
        if let Some(thread) = &self.thread {
            self.counter.orders.put(order, thread.thread());
        }
        self.counter.reports.take()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.counter.orders.put(Order::Leave, thread.thread());
            // A panic was reported already.
            let _ = thread.join();
        }
    }
}

thread_local! {
    static PORT: OnceCell<Port> = const { OnceCell::new() };
}

/// The client's end.
pub(crate) struct Port {
    counter: Arc<Counter>,
    driver: Thread,
    task: RefCell<Option<Box<Task>>>,
    /// Reports that the driver does not have yet.
    unsent: RefCell<Vec<Report>>,
    stretch: Cell<Stretch>,
    is_stopped: Cell<bool>,
    /// As the database counted when this client went on last, or began its last run.
    serial_runs: Cell<u64>,
}

impl Port {
    /// The client's life: call after call.
    fn live(counter: Arc<Counter>, driver: Thread) {
        PORT.with(|port| {
            let port = port.get_or_init(|| Port {
                counter,
                driver,
                task: RefCell::default(),
                unsent: RefCell::default(),
                stretch: Cell::new(Stretch { reports: 1, may_commit: false }),
                is_stopped: Cell::new(false),
                serial_runs: Cell::new(0),
            });
            loop {
                match port.counter.orders.take() {
                    Order::Start(task, stretch) => {
                        port.stretch.set(stretch);
                        let finished = port.perform(task);
                        port.unsent.borrow_mut().push(Report::Finished(Box::new(finished)));
                        port.send();
                    }
                    Order::Leave => return,
                    Order::Go(_) | Order::Stop => port.send(),
                }
            }
        });
    }

    /// Runs `body` with the port of this thread, if it is a client's.
    pub(crate) fn here<T>(body: impl FnOnce(Option<&Port>) -> T) -> T {
        PORT.with(|port| body(port.get()))
    }

    fn send(&self) {
        self.counter.reports.put(self.unsent.take(), &self.driver);
    }

    fn perform(&self, task: Box<Task>) -> Finished {
        let _planted = task.bug.map(planted::plant);
        self.is_stopped.set(false);
        self.serial_runs.set(task.db.stats().serial_runs);
        let (db, call, kind) = (task.db.clone(), task.call.clone(), task.kind.clone());
        *self.task.borrow_mut() = Some(task);
        let ended = catch_unwind(AssertUnwindSafe(|| match kind {
            TaskKind::Mutation(session) => Finished::Mutation(db.mutation(&call, session)),
            TaskKind::Query(snapshot) => Finished::Query(db.query(&call, snapshot)),
        }));
        *self.task.borrow_mut() = None;
        ended.unwrap_or_else(|panic| Finished::Panicked(text_of(&*panic)))
    }

    /// A run of the call's program begins.
    pub(crate) fn begin(&self, at: Timestamp) -> Result<Arc<Program>, Stopped> {
        let program = self.task.borrow().as_ref().map(|task| task.program.clone()).ok_or(Stopped)?;
        // Nobody else ran since: if there is one more serial run it is this one.
        let before = self.serial_runs.get();
        self.look_at_serial_runs();
        let is_serial = self.serial_runs.get() != before;
        self.report(Report::Began { at, is_serial })?;
        Ok(program)
    }

    fn look_at_serial_runs(&self) {
        if let Some(task) = &*self.task.borrow() {
            self.serial_runs.set(task.db.stats().serial_runs);
        }
    }

    /// Reports, and waits for the order to go on where the stretch ends.
    pub(crate) fn report(&self, report: Report) -> Result<(), Stopped> {
        if self.is_stopped.get() {
            return Err(Stopped);
        }
        let Stretch { reports, may_commit } = self.stretch.get();
        let goes_on = reports > 1 && (may_commit || !matches!(report, Report::Ends));
        self.unsent.borrow_mut().push(report);
        if goes_on {
            self.stretch.set(Stretch { reports: reports - 1, may_commit });
            return Ok(());
        }
        self.send();
        let order = self.counter.orders.take();
        self.look_at_serial_runs();
        match order {
            Order::Go(stretch) => {
                self.stretch.set(stretch);
                Ok(())
            }
            _ => {
                self.is_stopped.set(true);
                Err(Stopped)
            }
        }
    }
}

/// What a panic said.
pub(crate) fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}
