//! How many connections can be open that no function uses: they are open files, and nobody's.
//!
//! The library bounds them for each place, and not in all. So it is counted here, from above: as many connections can be
//! kept to a place as requests were under way to it at once.
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use url::Url;
use weir_value::limits::OUTBOUND_IDLE_PER_HOST_MAX;

/// Those of one pool.
#[derive(Debug)]
pub(crate) struct Kept {
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By scheme, name and port.
    places: HashMap<String, Requests>,
    /// How many connections can be kept to all of them.
    connections: usize,
}

/// Requests to one place.
#[derive(Debug, Default)]
struct Requests {
    under_way: usize,
    most: usize,
}

/// A request that has a connection. Dropped when it has no more.
#[derive(Debug)]
pub(crate) struct InUse {
    kept: Arc<Kept>,
    place: String,
}

impl Kept {
    /// Of a pool that may keep so many.
    pub(crate) fn new(max: usize) -> Arc<Kept> {
        Arc::new(Kept { max, state: Mutex::default() })
    }

    /// Of another pool like this one's.
    pub(crate) fn anew(&self) -> Arc<Kept> {
        Kept::new(self.max)
    }

    /// A request to this URL begins.
    pub(crate) fn begin(self: &Arc<Self>, url: &Url) -> InUse {
        let place = url.origin().ascii_serialization();
        let State { places, connections } = &mut *self.state.lock();
        let requests = places.entry(place.clone()).or_default();
        requests.under_way += 1;
        if requests.under_way > requests.most {
            requests.most = requests.under_way;
            *connections += usize::from(requests.most <= OUTBOUND_IDLE_PER_HOST_MAX);
        }
        InUse { kept: Arc::clone(self), place }
    }

    /// Whether one more may be too many: it is time for a pool that has none.
    pub(crate) fn is_full(&self) -> bool {
        self.state.lock().connections >= self.max
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(requests) = self.kept.state.lock().places.get_mut(&self.place) {
            requests.under_way -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 40;

    fn begin(kept: &Arc<Kept>, url: &str) -> InUse {
        kept.begin(&Url::parse(url).unwrap())
    }

    #[test]
    fn connections_are_counted_by_what_was_under_way_at_once() {
        let kept = Kept::new(MAX);
        let connections = || kept.state.lock().connections;
        for _ in 0..5 {
            drop(begin(&kept, "http://one.test/a"));
        }
        assert_eq!(connections(), 1);
        let two = [begin(&kept, "http://one.test/b"), begin(&kept, "http://one.test:80/c")];
        assert_eq!(connections(), 2);
        drop(two);
        let _other = begin(&kept, "https://one.test/");
        assert_eq!(connections(), 3);
        let many: Vec<_> = (0..100).map(|_| begin(&kept, "http://many.test/")).collect();
        assert_eq!(connections(), 3 + OUTBOUND_IDLE_PER_HOST_MAX);
        drop(many);
        assert!(!kept.is_full());
    }

    #[test]
    fn it_is_full_of_many_places() {
        let kept = Kept::new(MAX);
        for place in 0..MAX {
            assert!(!kept.is_full());
            drop(begin(&kept, &format!("http://{place}.test/")));
        }
        assert!(kept.is_full());
    }
}
