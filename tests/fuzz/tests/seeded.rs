//! Each target on its corpus, and on so many inputs that are made of it from one seed: the same in every run.

use std::path::PathBuf;

use weir_fuzz::{Bound, Campaign, CountingAllocator, TARGETS};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const SEED: u64 = 1;

/// One after another: they share the count of memory and the host's process.
#[test]
fn all_holds_for_the_corpus_and_what_is_made_of_it() {
    let campaign = Campaign::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz"));
    let mut failures = Vec::new();
    for target in TARGETS {
        let started = std::time::Instant::now();
        match campaign.run(target, SEED, Bound::Rounds(target.rounds)) {
            Ok(inputs) => println!("{}: {inputs} inputs in {:.1?}", target.name, started.elapsed()),
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
