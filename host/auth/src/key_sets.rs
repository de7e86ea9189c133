//! The key sets of providers that have to be fetched: each is kept for a while, fetched by one caller at a
//! time, and outlives a provider that is gone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time;
use url::Url;

use crate::discovery::{self, Loaded};
use crate::fetch::{FetchError, KeyFetcher};
use crate::providers::Provider;

/// For how long a key set is not asked for again: how long a key that its provider took back may still do.
pub(crate) const FRESH: Duration = Duration::from_secs(10 * 60);
/// For how long it is used when the provider does not answer.
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How much time lies between two fetches that tokens with unknown keys bring about, forged ones too.
pub(crate) const FETCH_INTERVAL: Duration = Duration::from_secs(5);
/// And between two tries of a provider that does not answer, while its keys are kept.
pub(crate) const RETRY_INTERVAL: Duration = Duration::from_secs(30);
/// How long a fetch may take in all, in seconds.
pub(crate) const FETCH_SECONDS_MAX: u64 = 10;
/// How many tokens of one provider may wait for a fetch.
pub(crate) const WAITING_MAX: usize = 1024;
/// How many key sets are kept. Those of earlier deployments go first.
const SETS_MAX: usize = 64;

/// Time since some fixed moment, which never goes back.
pub(crate) type Monotonic = Box<dyn Fn() -> Duration + Send + Sync>;

/// The key sets of all providers.
pub(crate) struct KeySets {
    fetcher: Arc<dyn KeyFetcher>,
    monotonic: Monotonic,
    sets: Mutex<HashMap<Url, Arc<Remote>>>,
}

/// One key set.
struct Remote {
    state: Mutex<State>,
    /// Held by whoever fetches.
    turn: tokio::sync::Mutex<()>,
    waiting: Semaphore,
}

#[derive(Default)]
struct State {
    /// The newest keys, and when they were asked for.
    loaded: Option<(Arc<Loaded>, Duration)>,
    /// The number of the newest fetch, and when it began.
    begun: u64,
    begun_at: Option<Duration>,
    /// The number of the newest fetch that came to its end: one is given up when its caller goes away.
    finished: u64,
    /// Why it failed, if it did.
    failure: Option<String>,
    used_at: Duration,
}

/// Why there are no keys.
#[derive(Debug)]
pub(crate) enum KeysError {
    /// The provider did not give them.
    Unavailable(String),
    /// Too many wait.
    Busy,
}

/// The keys of a provider.
pub(crate) struct Current {
    pub(crate) loaded: Arc<Loaded>,
    /// Whether they were asked for after the caller came: there are no newer ones.
    pub(crate) is_newest: bool,
}

impl KeySets {
    pub(crate) fn new(fetcher: Arc<dyn KeyFetcher>, monotonic: Monotonic) -> KeySets {
        KeySets { fetcher, monotonic, sets: Mutex::default() }
    }

    /// Keys that may be used. One caller fetches them when they are due, and gets the old ones if that fails.
    ///
    /// # Errors
    /// When there are none, and the provider does not give any.
    pub(crate) async fn current(&self, provider: &Provider, url: &Url) -> Result<Current, KeysError> {
        let remote = self.remote(url);
        let now = (self.monotonic)();
        let look = remote.look(now);
        match look.kept {
            Some((loaded, age)) if age < FRESH => Ok(Current { loaded, is_newest: false }),
            Some((loaded, _)) => match remote.turn.try_lock() {
                Ok(_turn) if remote.may_retry(now) => {
                    self.fetch(&remote, provider, url).await;
                    let newest = remote.outcome_after(look.begun).and_then(Result::ok);
                    let is_newest = newest.is_some();
                    Ok(Current { loaded: newest.unwrap_or(loaded), is_newest })
                }
                _ => Ok(Current { loaded, is_newest: false }),
            },
            None => match look.recent_failure {
                Some(why) => Err(KeysError::Unavailable(why)),
                // One that is under way does as well.
                None => {
                    let loaded = self.fetched_after(look.finished, &remote, provider, url).await?;
                    Ok(Current { loaded, is_newest: remote.outcome_after(look.begun).is_some() })
                }
            },
        }
    }

    /// Keys that were asked for after this call: all that wait share one fetch.
    ///
    /// # Errors
    /// When the provider does not give them, or too many wait.
    pub(crate) async fn newer(&self, provider: &Provider, url: &Url) -> Result<Arc<Loaded>, KeysError> {
        let remote = self.remote(url);
        let seen = remote.state.lock().begun;
        self.fetched_after(seen, &remote, provider, url).await
    }

    /// The outcome of a fetch with a higher number than `seen`.
    async fn fetched_after(
        &self,
        seen: u64,
        remote: &Remote,
        provider: &Provider,
        url: &Url,
    ) -> Result<Arc<Loaded>, KeysError> {
        let _place = remote.waiting.try_acquire().map_err(|_| KeysError::Busy)?;
        let _turn = remote.turn.lock().await;
        if let Some(outcome) = remote.outcome_after(seen) {
            return outcome.map_err(KeysError::Unavailable);
        }
        // Not earlier than the interval allows: to wait refuses no good token, and whoever comes meanwhile is
        // served by the same fetch.
        let begun_at = remote.state.lock().begun_at;
        if let Some(begun_at) = begun_at {
            time::sleep((begun_at + FETCH_INTERVAL).saturating_sub((self.monotonic)())).await;
        }
        self.fetch(remote, provider, url).await;
        match remote.outcome_after(seen) {
            Some(outcome) => outcome.map_err(KeysError::Unavailable),
            None => Err(KeysError::Unavailable("the fetch was given up".into())),
        }
    }

    /// Fetches, and notes what came of it. The caller holds the turn.
    async fn fetch(&self, remote: &Remote, provider: &Provider, url: &Url) {
        let begun_at = (self.monotonic)();
        let number = {
            let mut state = remote.state.lock();
            state.begun += 1;
            state.begun_at = Some(begun_at);
            state.begun
        };
        let loading = Box::pin(discovery::load(&*self.fetcher, provider, url));
        let loaded = match time::timeout(Duration::from_secs(FETCH_SECONDS_MAX), loading).await {
            Ok(loaded) => loaded,
            Err(_) => Err(FetchError::TimedOut(FETCH_SECONDS_MAX).to_string()),
        };
        let mut state = remote.state.lock();
        state.finished = number;
        match loaded {
            Ok(loaded) => {
                state.loaded = Some((Arc::new(loaded), begun_at));
                state.failure = None;
            }
            Err(why) => {
                let failed_before = state.failure.replace(why.clone()).is_some();
                if !failed_before {
                    let provider = provider.issuer.name();
                    tracing::warn!(provider, %why, "the keys of a provider of users could not be fetched");
                }
            }
        }
    }

    /// The key set of this URL. Makes room for it, if need be, at the expense of the one unused for longest.
    fn remote(&self, url: &Url) -> Arc<Remote> {
        let now = (self.monotonic)();
        let mut sets = self.sets.lock();
        if let Some(remote) = sets.get(url) {
            remote.state.lock().used_at = now;
            return Arc::clone(remote);
        }
        if sets.len() >= SETS_MAX {
            let oldest = sets.iter().min_by_key(|(_, remote)| remote.state.lock().used_at);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                sets.remove(&oldest);
            }
        }
        let remote = Arc::new(Remote {
            state: Mutex::new(State { used_at: now, ..State::default() }),
            turn: tokio::sync::Mutex::default(),
            waiting: Semaphore::new(WAITING_MAX),
        });
        sets.insert(url.clone(), Arc::clone(&remote));
        remote
    }
}

/// What a set looks like to somebody who comes.
struct Look {
    /// The number of the newest fetch, and of the newest that came to its end.
    begun: u64,
    finished: u64,
    /// The keys that may be used, and their age.
    kept: Option<(Arc<Loaded>, Duration)>,
    /// Why the newest fetch failed, if that is so recent that it is not tried again.
    recent_failure: Option<String>,
}

impl Remote {
    fn look(&self, now: Duration) -> Look {
        let state = self.state.lock();
        let kept = state.loaded.as_ref().map(|(loaded, at)| (Arc::clone(loaded), now.saturating_sub(*at)));
        let is_recent = state.begun_at.is_some_and(|at| now < at + FETCH_INTERVAL);
        let failure = state.failure.clone().filter(|_| is_recent && state.finished == state.begun);
        Look {
            begun: state.begun,
            finished: state.finished,
            kept: kept.filter(|(_, age)| *age < KEPT),
            recent_failure: failure,
        }
    }

    fn may_retry(&self, now: Duration) -> bool {
        self.state.lock().begun_at.is_none_or(|at| now >= at + RETRY_INTERVAL)
    }

    fn outcome_after(&self, seen: u64) -> Option<Result<Arc<Loaded>, String>> {
        let state = self.state.lock();
        if state.finished <= seen {
            return None;
        }
        match (&state.failure, &state.loaded) {
            (None, Some((loaded, _))) => Some(Ok(Arc::clone(loaded))),
            (failure, _) => Some(Err(failure.clone().unwrap_or_default())),
        }
    }
}
