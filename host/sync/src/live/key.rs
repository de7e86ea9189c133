//! What tells one live query from another.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use weir_value::FunctionPath;

/// Clients choose arguments: they are not to know which ones collide.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What tells one live query from another, in one deployment.
///
/// Arguments may be large: they are hashed once, where the key is made, and not with every look-up, which all sockets
/// wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveKey {
    args_hash: u64,
    /// The function.
    pub path: FunctionPath,
    /// Its arguments: canonical JSON.
    args: Bytes,
    /// The journal that the client brought along, of a connection before: its page ends where it ended there. Clients
    /// that bring none share one query until it runs again. From then on its page is held at its end, and may have any
    /// number of rows: who comes later begins with a page of their own.
    pub journal: Option<Arc<str>>,
}

impl LiveKey {
    /// The query of this function, with arguments in canonical JSON.
    pub fn new(path: FunctionPath, args: Bytes, journal: Option<Arc<str>>) -> LiveKey {
        LiveKey { args_hash: HASHER.hash_one(&args), path, args, journal }
    }

    /// The arguments: canonical JSON.
    pub fn args(&self) -> &Bytes {
        &self.args
    }
}

impl Hash for LiveKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let LiveKey { args_hash, path, args: _, journal } = self;
        (args_hash, path, journal).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_are_the_same_if_all_of_them_is() {
        let key = |path, args: &'static str, journal: Option<&str>| {
            let args = Bytes::from_static(args.as_bytes());
            LiveKey::new(FunctionPath::parse(path).unwrap(), args, journal.map(Arc::from))
        };
        let keys =
            || [key("a", "{}", None), key("b", "{}", None), key("a", "[]", None), key("a", "{}", Some(""))];
        assert_eq!(keys().into_iter().chain(keys()).collect::<HashSet<_>>().len(), 4);
    }
}
