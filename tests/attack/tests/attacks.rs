//! Each attack alone, with the ordinary client beside it. `make attack` does all of them at once.

use anyhow::Result;
use weir_attack::{ALL, withstands};

macro_rules! attacks {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() -> Result<()> {
            let attack = ALL.iter().find(|attack| attack.name == $name).expect("an attack of this name");
            withstands(attack).map(drop)
        })*

        #[test]
        fn every_attack_is_tried() {
            let tried = [$($name),*];
            let forgotten = ALL.iter().map(|attack| attack.name).find(|name| !tried.contains(name));
            assert_eq!(forgotten, None);
        }
    };
}

attacks! {
    subscriptions_with_large_arguments: "subscriptions with large arguments",
    arguments_of_many_values: "arguments of millions of values",
    lists_of_millions: "lists of millions of items",
    queries_with_large_results: "queries with large results",
    batches_with_large_results: "batches with large results",
    unread_transitions: "transitions that nobody reads",
    unread_mutation_results: "results of mutations that nobody reads",
    half_messages: "half messages, held by pings",
    half_bodies: "bodies that are sent and never ended",
    large_connects: "first messages of 15 MiB",
    abandoned_calls: "calls whose clients leave",
    many_cheap_live_queries: "one socket with 10,000 cheap live queries",
    many_slow_live_queries: "one socket with 2,000 slow live queries",
    slow_calls: "ten clients that call a slow function",
    slow_conflicts: "ten clients whose slow mutations conflict",
    deleted_rows: "a table whose rows are deleted",
}
