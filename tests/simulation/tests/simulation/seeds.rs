//! Seeds without a planted defect: everything holds, and everything is tried.
use weir_simulation::{Figures, Settings, find_failure, run};

use crate::search::search;

const SEEDS: u64 = 1_000;

#[test]
fn everything_holds_in_a_thousand_seeds() {
    let searched = search(SEEDS, &Settings::default());
    if let Some(seed) = searched.failed {
        match find_failure(seed, &Settings::default()) {
            Some(failure) => panic!("{failure}"),
            None => panic!("seed {seed} failed, and does not again: something else than the seed decides"),
        }
    }
    let average =
        |count: fn(&Figures) -> u64| searched.figures.iter().map(count).sum::<u64>() as f64 / SEEDS as f64;
    let counts: [(&str, f64, f64); 19] = [
        ("calls", average(|figures| figures.calls), 20.0),
        ("runs", average(|figures| figures.runs), 20.0),
        ("commits", average(|figures| figures.commits), 10.0),
        ("conflicts", average(|figures| figures.conflicts), 1.0),
        ("repetitions", average(|figures| figures.repetitions), 1.0),
        ("refusals", average(|figures| figures.refusals), 0.1),
        ("flushes", average(|figures| figures.flushes), 2.0),
        ("checkpoints", average(|figures| figures.checkpoints), 2.0),
        ("crashes", average(|figures| figures.crashes), 0.5),
        ("cuts", average(|figures| figures.cuts), 0.5),
        ("failures", average(|figures| figures.failures), 0.1),
        ("restarts", average(|figures| figures.restarts), 1.0),
        ("lost commits", average(|figures| figures.lost_commits), 1.0),
        ("deployments", average(|figures| figures.deployments), 1.0),
        ("steps of deployments", average(|figures| figures.deployment_steps), 3.0),
        ("refused deployments", average(|figures| figures.refused_deployments), 0.1),
        ("reads of indexes", average(|figures| figures.index_reads), 2.0),
        ("pages", average(|figures| figures.pages), 2.0),
        ("pages behind others", average(|figures| figures.later_pages), 1.0),
    ];
    for (name, average, least) in counts {
        println!("{average:8.2} {name} in a run");
        assert!(average >= least, "{average} {name} in a run do not test them");
    }
}

#[test]
fn a_seed_gives_one_trace() {
    let settings = Settings { is_traced: true, ..Settings::default() };
    for seed in 0..20 {
        let [one, two] = [(); 2].map(|()| run(seed, &settings));
        assert!(one.trace.lines().count() > 100, "seed {seed} does something");
        assert_eq!(one.trace, two.trace, "seed {seed}");
        assert_eq!(one.figures, two.figures, "seed {seed}");
    }
}

#[test]
fn the_trace_changes_nothing() {
    for seed in 0..20 {
        let traced = run(seed, &Settings { is_traced: true, ..Settings::default() });
        assert_eq!(traced.figures, run(seed, &Settings::default()).figures, "seed {seed}");
    }
}

#[test]
fn fewer_events_are_the_beginning_of_the_same_run() {
    for seed in 0..10 {
        let [short, long] = [60, 120]
            .map(|events| run(seed, &Settings { events, is_traced: true, ..Settings::default() }).trace);
        let rest = short.find("the run comes to rest").expect("every run does");
        let beginning = &short[..short[..rest].rfind('\n').expect("there is a line before")];
        assert!(long.starts_with(beginning), "seed {seed}");
    }
}
