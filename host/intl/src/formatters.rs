//! Formatters that were made before: making one takes longer than using it.
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use weir_value::limits::INTL_FORMATTERS_KEPT;

use crate::collate::Order;
use crate::date::DateFormat;
use crate::error::Result;
use crate::list::ListFormat;
use crate::names::DisplayNames;
use crate::number::NumberFormat;
use crate::plural::PluralFormat;
use crate::relative::RelativeFormat;

/// Those of one kind, by their options.
struct Kept<T>(LazyLock<Mutex<HashMap<String, Arc<T>>>>);

impl<T> Kept<T> {
    const fn new() -> Kept<T> {
        Kept(LazyLock::new(Mutex::default))
    }

    fn get(&self, options: &str, make: impl FnOnce(&str) -> Result<T>) -> Result<Arc<T>> {
        if let Some(found) = self.0.lock().get(options) {
            return Ok(found.clone());
        }
        let made = Arc::new(make(options)?);
        let mut kept = self.0.lock();
        // Whoever asks for so many different ones makes them anew; nobody else is kept waiting for long.
        if kept.len() >= INTL_FORMATTERS_KEPT {
            kept.clear();
        }
        kept.insert(options.to_owned(), made.clone());
        Ok(made)
    }
}

macro_rules! formatter {
    ($name:ident, $type:ty) => {
        pub(crate) fn $name(options: &str) -> Result<Arc<$type>> {
            static KEPT: Kept<$type> = Kept::new();
            KEPT.get(options, <$type>::new)
        }
    };
}

formatter!(order, Order);
formatter!(number, NumberFormat);
formatter!(date, DateFormat);
formatter!(plural, PluralFormat);
formatter!(list, ListFormat);
formatter!(relative, RelativeFormat);
formatter!(names, DisplayNames);
