//! Deferred teardown: clearing what a call ran in takes as long as a small call, and nobody who waits for the answer
//! needs to wait for it.

/// Where calls that follow one another leave what they ran in. Whoever answers them makes one, passes it down to each,
/// and drops it when they are answered; it may go from thread to thread meanwhile.
///
/// At most one call's remains are in it: when the next call begins or ends, those of the call before are cleared.
#[derive(Default)]
pub struct Teardown(Option<Box<dyn Send>>);

impl Teardown {
    /// Leaves what is cleared by being dropped; what was left before is cleared now.
    pub fn defer(&mut self, finished: impl Send + 'static) {
        self.finish();
        self.0 = Some(Box::new(finished));
    }

    /// Clears what was left. For the beginning of a call: it may need the place of the one before.
    pub fn finish(&mut self) {
        self.0 = None;
    }
}

impl std::fmt::Debug for Teardown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teardown").field("is_pending", &self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn keeps_one_until_the_next_or_the_end() {
        let [first, second, third] = [(); 3].map(Arc::new);
        let mut teardown = Teardown::default();
        teardown.defer(first.clone());
        assert_eq!(Arc::strong_count(&first), 2);
        teardown.defer(second.clone());
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 2));
        teardown.finish();
        assert_eq!(Arc::strong_count(&second), 1);
        teardown.defer(third.clone());
        std::thread::scope(|scope| scope.spawn(move || drop(teardown)).join().unwrap());
        assert_eq!(Arc::strong_count(&third), 1);
    }
}
