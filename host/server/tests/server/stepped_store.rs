//! A store whose user is watched: the test is called at each step that a deployment takes in it, on the deployment's
//! own thread, and may hold it there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use weir_store::{
    Changes, ConsumerError, GroupObserver, Joining, LogConsumer, SequenceError, Sequenced, Snapshot, Store,
    StoreClosed, StoreStats,
};
use weir_value::Timestamp;

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its record is about to be written.
    BeforeRecord,
    /// Its record is sequenced, perhaps not durable.
    Sequenced,
    /// It begins to wait for its record to be durable.
    Waiting,
    /// Its record is durable; it is not in force yet.
    Durable,
}

pub struct SteppedStore {
    inner: Arc<dyn Store>,
    on_step: Box<dyn Fn(Step) + Send + Sync>,
    /// How long the caller of each commit is told to pause, in milliseconds.
    pub pause_ms: AtomicU64,
}

impl SteppedStore {
    /// A store that does what `inner` does, and tells `on_step`.
    pub fn new(inner: Arc<dyn Store>, on_step: impl Fn(Step) + Send + Sync + 'static) -> Arc<SteppedStore> {
        Arc::new(SteppedStore { inner, on_step: Box::new(on_step), pause_ms: AtomicU64::new(0) })
    }
}

impl Store for SteppedStore {
    fn sequence(&self, make: &mut dyn FnMut(Timestamp) -> Changes) -> Result<Sequenced, SequenceError> {
        (self.on_step)(Step::BeforeRecord);
        let sequenced = self.inner.sequence(make);
        (self.on_step)(Step::Sequenced);
        let pause = Duration::from_millis(self.pause_ms.load(Ordering::SeqCst));
        sequenced.map(|sequenced| Sequenced { pause: sequenced.pause.max(pause), ..sequenced })
    }

    fn wait_durable(&self, ts: Timestamp) -> Result<(), StoreClosed> {
        (self.on_step)(Step::Waiting);
        self.inner.wait_durable(ts)?;
        (self.on_step)(Step::Durable);
        Ok(())
    }

    fn snapshot_sequenced(&self) -> Snapshot {
        self.inner.snapshot_sequenced()
    }

    fn snapshot_durable(&self) -> Snapshot {
        self.inner.snapshot_durable()
    }

    fn sequenced(&self) -> Timestamp {
        self.inner.sequenced()
    }

    fn durable(&self) -> Timestamp {
        self.inner.durable()
    }

    fn joining(&self) -> Joining {
        self.inner.joining()
    }

    fn observe(&self, observer: Arc<dyn GroupObserver>) {
        self.inner.observe(observer);
    }

    fn checkpoint(&self) -> Result<(), StoreClosed> {
        self.inner.checkpoint()
    }

    fn consumer(&self, name: &str) -> Result<LogConsumer, ConsumerError> {
        self.inner.consumer(name)
    }

    fn remove_consumer(&self, name: &str) -> Result<bool, ConsumerError> {
        self.inner.remove_consumer(name)
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }

    fn close(&self) {
        self.inner.close();
    }
}
