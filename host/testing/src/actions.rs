//! Actions in a test: they run on the thread that calls them, and the clock goes on while they wait.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use weir_db::{ActionHost, ActionOutcome, Call};
use weir_store::Env;
use weir_value::Timestamp;

use crate::event_loop::Slot;
use crate::fetch::{AnswersFetch, FetchRequest, Waiting, failed};
use crate::host::{Host, Made};
use crate::scheduled::millis;
use crate::{FetchAnswer, TestDatabase, TestError, after};

/// Whether something goes on outside of the test's thread.
pub type OutsideWork = Arc<dyn Fn() -> bool + Send + Sync>;

/// How often it is looked whether work outside goes on.
const OUTSIDE_EVERY: Duration = Duration::from_millis(20);

/// For so long an action may go on, and more.
const WHOLE_ACTION: Duration = Duration::from_secs(24 * 3600);

impl TestDatabase {
    /// Answers the requests that actions send from now on; without it, every request fails the test.
    pub fn set_fetch_handler(&mut self, handler: Option<Box<dyn AnswersFetch>>) {
        self.fetch_handler = handler;
    }

    /// Says whether something goes on outside of this thread that an action waits for, as a process does: the clock stands
    /// still meanwhile.
    pub fn set_outside_work(&mut self, goes_on: Option<OutsideWork>) {
        self.outside_work = goes_on;
    }

    /// Runs actions from now on, scheduled ones too, with this doing for them what takes time, in the place
    /// of the test's clock, its answers to requests and its files. They run on the thread that calls them, to
    /// their end.
    pub fn set_action_host(&mut self, host: Arc<dyn ActionHost>) {
        self.action_host = Some(host);
    }

    pub(crate) fn run_action(&self, call: Call) -> Result<(ActionOutcome, Made), TestError> {
        // An action sees what is durable.
        self.shared.settle();
        if let Some(host) = self.action_host.clone() {
            return Ok((block_on(self.db.clone().action(call, host)), Made::default()));
        }
        let (host, record) = Host::new(&self.shared, &call);
        let outcome = self.run_to_its_end(self.db.clone().action(call, host))?;
        Ok((outcome, record.made()))
    }

    /// Lets everything go on until this future has come to its end.
    pub(crate) fn run_to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TestError> {
        let slot = Slot::new();
        let result = slot.clone();
        let running = self.shared.event_loop.spawn(Box::pin(async move { slot.fill(work.await) }));
        self.started.set(0);
        let ended = self.go_on(after(self.env.now(), WHOLE_ACTION), &|| result.is_full());
        drop(running);
        ended?;
        self.shared.take_failure()?;
        result.take().ok_or(TestError::Stuck)
    }

    /// Does what is to be done, and lets the clock go on to what comes then, until that is so or it is that
    /// time.
    pub(crate) fn go_on(&self, until: Timestamp, is_over: &dyn Fn() -> bool) -> Result<(), TestError> {
        loop {
            if is_over() {
                return Ok(());
            }
            if self.shared.event_loop.run_one() || self.answer_requests()? {
                continue;
            }
            if self.outside_work.as_ref().is_some_and(|goes_on| goes_on()) {
                self.shared.event_loop.wait_for_wake(OUTSIDE_EVERY);
                continue;
            }
            if !self.go_on_in_time(until)? {
                return Ok(());
            }
        }
    }

    /// Has the test answer all requests that wait; false: none does.
    fn answer_requests(&self) -> Result<bool, TestError> {
        let waiting = self.shared.take_waiting();
        if waiting.is_empty() {
            return Ok(false);
        }
        let requests: Vec<FetchRequest> = waiting.iter().map(|waiting| waiting.request.clone()).collect();
        let answered = match &self.fetch_handler {
            Some(handler) => handler.answer(&requests),
            None => Ok(Vec::new()),
        };
        // What waits goes on all the same, when the clock does.
        let (mut answers, otherwise) = match &answered {
            Ok(answers) => (answers.clone(), None),
            Err(reason) => (Vec::new(), Some(Err(failed(reason.clone())))),
        };
        answers.resize(requests.len(), FetchAnswer { outcome: otherwise, delay: Duration::ZERO });
        for (Waiting { answer: place, .. }, answer) in waiting.into_iter().zip(answers) {
            place.fill(answer);
        }
        answered.map_err(TestError::Handler)?;
        Ok(true)
    }

    /// Lets the clock go on to the job that is due next, or to the end of somebody's waiting, if it is until
    /// then.
    fn go_on_in_time(&self, until: Timestamp) -> Result<bool, TestError> {
        let timer = self.shared.event_loop.next_timer().map(|wait| after(self.env.now(), wait));
        let timer = timer.filter(|timer| *timer <= until);
        // Nobody waits for a job that only comes when the clock has gone on for another reason.
        if let Some(job) = self.next_job(millis(timer.unwrap_or(until)), &|_| false)? {
            self.start_job(job)?;
            return Ok(true);
        }
        if timer.is_some() {
            self.shared.event_loop.fire_timer();
        }
        Ok(timer.is_some())
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future to its end on this thread; what it waits for, others bring about.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}
