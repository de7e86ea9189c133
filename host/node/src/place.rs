//! The place of a call among those that work at the same time. One that waits for another action lends it to that one:
//! else actions that call actions could hold all places, and wait for one for ever.
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A call's place.
pub(crate) struct Place {
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    /// For so many actions it waits.
    waits_for: usize,
    /// `None` while it is lent.
    permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Waits for a place, in turn.
    pub(crate) async fn take(places: &Arc<Semaphore>) -> Arc<Place> {
        let permit = acquire(places).await;
        let state = Mutex::new(State { waits_for: 0, permit });
        Arc::new(Place { places: places.clone(), state })
    }

    /// Lends the place while `work` goes on; when that has ended, waits until there is one again.
    pub(crate) async fn lend_while<R>(&self, work: impl Future<Output = R>) -> R {
        {
            let mut state = self.state.lock();
            state.waits_for += 1;
            state.permit = None;
        }
        let result = work.await;
        let last = {
            let mut state = self.state.lock();
            state.waits_for -= 1;
            state.waits_for == 0
        };
        if last {
            let permit = acquire(&self.places).await;
            let mut state = self.state.lock();
            if state.waits_for == 0 {
                state.permit = permit;
            }
        }
        result
    }
}

async fn acquire(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    // It is never closed.
    places.clone().acquire_owned().await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_place_that_is_lent_is_free_until_its_owner_goes_on() {
        let places = Arc::new(Semaphore::new(1));
        let place = Place::take(&places).await;
        assert_eq!(places.available_permits(), 0);
        let inner = place
            .lend_while(async {
                let inner = Place::take(&places).await;
                place.lend_while(async { assert_eq!(places.available_permits(), 0) }).await;
                inner.lend_while(async { assert_eq!(places.available_permits(), 1) }).await;
                assert_eq!(places.available_permits(), 0);
            })
            .await;
        let () = inner;
        assert_eq!(places.available_permits(), 0, "it has its place again");
        drop(place);
        assert_eq!(places.available_permits(), 1);
    }
}
