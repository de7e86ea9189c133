use std::sync::mpsc;

use super::*;
use weir_store::RealEnv;

const CLIENT: Work = Work {
    kind: JobKind::Client,
    flow: Flow::HOST,
    function: None,
    expected: None,
    is_serial: false,
    waits_for_ever: true,
};

fn start(name: &str, threads: usize) -> Executor {
    let env: Arc<dyn Env> = Arc::new(RealEnv::new());
    Executor::start(&env, name, threads, 0)
}

/// Takes a thread until the sender is dropped.
fn hold(executor: &Executor, work: Work) -> mpsc::Sender<()> {
    let (free, busy) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel();
    executor.spawn(work, move |_| {
        began.send(()).unwrap();
        let _ = busy.recv();
    });
    begun.recv().unwrap();
    free
}

/// One job after another: the thread that has just come to rest takes the next one, whose memory is in the caches.
#[test]
fn the_thread_that_rested_last_is_woken_first() {
    let executor = start("last", 4);
    let all_rest = || {
        while executor.shared.queue.lock().idle.len() < 4 {
            std::thread::yield_now()
        }
    };
    let mut threads = std::collections::HashSet::new();
    for _ in 0..50 {
        all_rest();
        let (told, thread) = mpsc::channel();
        executor.spawn(CLIENT, move |_| told.send(std::thread::current().id()).unwrap());
        threads.insert(thread.recv().unwrap());
    }
    assert_eq!(threads.len(), 1);
    executor.stop();
}

/// However many jobs come at once, each idle thread is woken by the one before, and all work.
#[test]
fn jobs_that_come_at_once_are_taken_by_as_many_threads() {
    let executor = start("chain", 4);
    let met = Arc::new(std::sync::Barrier::new(4));
    let (done, all) = mpsc::channel();
    for _ in 0..4 {
        let (met, done) = (Arc::clone(&met), done.clone());
        executor.spawn(CLIENT, move |_| {
            met.wait();
            done.send(()).unwrap();
        });
    }
    for _ in 0..4 {
        all.recv_timeout(Duration::from_secs(10)).expect("four threads at once");
    }
    executor.stop();
}

#[tokio::test]
async fn gives_results_and_survives_a_panic() {
    let executor = start("call", 1);
    assert_eq!(executor.run(CLIENT, || 6 * 7).await, Ok(42));
    let panicked = executor.run(CLIENT, || -> () { panic!("as a guest's bug would") }).await;
    assert_eq!(panicked, Err(JobLost::Panicked));
    assert_eq!(executor.run(CLIENT, || "still here").await, Ok("still here"));
}

#[tokio::test]
async fn a_future_holds_no_thread_while_it_waits() {
    let executor = start("call", 1);
    let (sender, receiver) = oneshot::channel();
    let waiting = executor.run_future(Flow::HOST, async move { receiver.await.unwrap_or(0) });
    assert_eq!(executor.run(CLIENT, || "the thread is free").await, Ok("the thread is free"));
    sender.send(7).unwrap();
    assert_eq!(waiting.await, Some(7));
    let panicking = executor.run_future(Flow::HOST, async { panic!("as a guest's bug would") });
    assert_eq!(panicking.await, None::<()>);
    let dropped = executor.run_future(Flow::HOST, std::future::pending::<()>());
    executor.stop();
    drop(dropped);
    assert_eq!(executor.run_future(Flow::HOST, async { 1 }).await, None);
}

#[tokio::test]
async fn a_stop_refuses_what_is_queued_and_waits_for_what_runs() {
    let executor = Arc::new(start("call", 1));
    let free = hold(&executor, CLIENT);
    let queued: Vec<_> = (0..100).map(|n| executor.run(CLIENT, move || n)).collect();
    let mut queued = Box::pin(futures_util::future::join_all(queued));
    assert!(futures_util::poll!(queued.as_mut()).is_pending());
    assert_eq!(executor.queued(), 100);
    executor.close();
    assert!(queued.await.into_iter().all(|result| result == Err(JobLost::Stopped)));
    assert_eq!(executor.run(CLIENT, || ()).await, Err(JobLost::Stopped));
    drop(free);
    executor.stop();
}

#[tokio::test]
async fn what_waits_too_long_is_told_while_all_that_may_run_it_is_taken() {
    let env = Arc::new(weir_store::SimEnv::new(1, weir_value::Timestamp::from_nanos(1)));
    let shared: Arc<dyn Env> = Arc::clone(&env) as _;
    let executor = Executor::start(&shared, "call", 4, 0);
    let slow = Work { expected: Some(Duration::from_secs(1)), ..CLIENT };
    let free = hold(&executor, slow);
    let mut patient = Box::pin(executor.run(slow, || "in time"));
    let mut late = Box::pin(executor.run(Work { waits_for_ever: false, ..slow }, || "in time"));
    assert!(futures_util::poll!(patient.as_mut()).is_pending());
    assert!(futures_util::poll!(late.as_mut()).is_pending());
    env.advance(WAIT_MAX);
    assert_eq!(executor.run(CLIENT, || "quick").await, Ok("quick"));
    assert_eq!(late.await, Err(JobLost::TooLate));
    drop(free);
    assert_eq!(patient.await, Ok("in time"));
}

#[tokio::test]
async fn slow_functions_leave_threads_to_quick_ones() {
    let executor = start("call", 4);
    let path = FunctionPath::parse("a:slow").unwrap();
    let work = Work::of(JobKind::Client, Flow::HOST);
    assert_eq!(executor.calling(&path, work).lane(), Lane::Quick(JobKind::Client));
    executor.shared.estimates.note(executor.shared.estimates.key(&path), Duration::from_secs(1));
    assert!(executor.is_slow(&path));
    let slow = executor.calling(&path, work);
    let free = hold(&executor, slow);
    let mut second = Box::pin(executor.run(slow, || "slow"));
    assert!(futures_util::poll!(second.as_mut()).is_pending());
    for _ in 0..100 {
        assert_eq!(executor.run(work, || "quick").await, Ok("quick"));
    }
    assert_eq!(executor.queued(), 1);
    drop(free);
    assert_eq!(second.await, Ok("slow"));
}

#[tokio::test]
async fn an_idle_thread_takes_what_the_end_of_another_has_let_in() {
    let executor = start("call", 4);
    let slow = Work { expected: Some(Duration::from_secs(1)), ..CLIENT };
    let free = hold(&executor, slow);
    let waiting: Vec<_> = (0..8).map(|n| executor.run(slow, move || n)).collect();
    let mut waiting = Box::pin(futures_util::future::join_all(waiting));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    drop(free);
    assert_eq!(waiting.await, (0..8).map(Ok).collect::<Vec<_>>());
}

/// Reports when it is torn down, and waits until it may be.
struct Finished(mpsc::Receiver<()>, oneshot::Sender<()>);

impl Drop for Finished {
    fn drop(&mut self) {
        self.0.recv().unwrap();
        let (unused, _) = oneshot::channel();
        std::mem::replace(&mut self.1, unused).send(()).unwrap();
    }
}

#[tokio::test]
async fn answers_before_it_tears_down() {
    let executor = start("call", 1);
    let (answered, may_tear_down) = mpsc::channel();
    let (sender, torn_down) = oneshot::channel();
    let job = move |teardown: &mut Teardown| teardown.defer(Finished(may_tear_down, sender));
    executor.run_calls(CLIENT, job).await.unwrap();
    answered.send(()).unwrap();
    torn_down.await.unwrap();
}

#[tokio::test]
async fn what_nobody_waits_for_is_not_run() {
    let executor = start("call", 1);
    let free = hold(&executor, CLIENT);
    let ran = Arc::new(Mutex::new(Vec::new()));
    let job = |name| {
        let ran = Arc::clone(&ran);
        executor.run(CLIENT, move || ran.lock().push(name))
    };
    let mut given_up = Box::pin(job("given up"));
    assert!(futures_util::poll!(given_up.as_mut()).is_pending());
    assert_eq!(executor.queued(), 1);
    drop(given_up);
    assert_eq!(executor.queued(), 0, "its place is free at once");
    drop(free);
    job("awaited").await.unwrap();
    assert_eq!(*ran.lock(), ["awaited"]);
}

/// Ten callers of a function that nobody knows yet: the others wait until it is seen, not until it has ended.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_slow_is_seen_while_it_runs() {
    let env: Arc<dyn Env> = Arc::new(RealEnv::new());
    let executor = Arc::new(Executor::start(&env, "call", 2, 2));
    let path = FunctionPath::parse("a:slow").unwrap();
    let work = Work::of(JobKind::Client, Flow::HOST).however_long();
    let over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let slow = || {
        let (learner, path, over) = (Arc::clone(&executor), path.clone(), Arc::clone(&over));
        let spin = move || while !over.load(std::sync::atomic::Ordering::Relaxed) {};
        executor.run(executor.calling(&path, work), move || learner.learn(&path, spin))
    };
    let mut slow = Box::pin(futures_util::future::join_all((0..10).map(|_| slow())));
    assert!(futures_util::poll!(slow.as_mut()).is_pending());
    for _ in 0..100 {
        assert_eq!(executor.run(work, || "quick").await, Ok("quick"));
    }
    assert!(executor.is_slow(&path));
    assert_eq!(executor.queued(), 8, "those that waited are known to be slow, and wait on");
    over.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(slow.await.into_iter().all(|result| result.is_ok()));
}
