//! Cron jobs that are actions, under test.

use std::time::Duration;

use weir::prelude::*;
use weir_test::{Database, FetchResponse, ScheduledRun};

#[action(internal)]
async fn poll(ctx: &ActionCtx, url: String) -> Result<String> {
    let text = ctx.fetch(Request::get(url)).await?.text().await?;
    Ok(format!("{text} at {}", (ctx.now() - 1_767_225_600_000.0) / 1e3))
}

crons!(|crons| {
    let url = "https://example.com/feed";
    crons.interval("poll", Duration::from_secs(10), "weir-test:poll", fields! { url: url });
});

#[test]
fn an_action_runs_each_time_and_what_is_late_is_skipped() {
    let db = Database::new();
    db.on_fetch(|_| FetchResponse::text("news"));
    let results = |runs: Vec<ScheduledRun>| -> Vec<String> {
        assert!(runs.iter().all(|run| run.cron.as_deref() == Some("poll")), "{runs:?}");
        runs.iter().map(|run| run.result().unwrap()).collect()
    };
    let prompt = results(db.advance(Duration::from_millis(20_500)));
    assert_eq!(prompt, ["news at 0.001", "news at 10.001", "news at 20.001"]);
    // One run at a time: those whose times come while it waits are skipped.
    db.on_fetch(|_| FetchResponse::text("news").delay(Duration::from_secs(25)));
    assert!(db.advance(Duration::from_secs(30)).is_empty());
    let slow = results(db.advance(Duration::from_secs(40)));
    assert_eq!(slow, ["news at 55.001", "news at 85.001"]);
    assert_eq!(results(db.finish_scheduled()).len(), 1, "the one that is under way is waited for");
}
