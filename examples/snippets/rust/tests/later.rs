use std::time::Duration;

use notes as _;
use weir::{Id, ScheduledFunction, fields};
use weir_test::Database;

#[test]
fn a_note_is_removed_later_unless_it_is_kept() {
    let db = Database::new();
    let note = || db.mutation::<Id>("notes:write", fields! { author: "ada", text: "hi" }).unwrap();
    let later =
        |id: &Id| db.mutation::<Id<ScheduledFunction>>("notes:removeLater", fields! { id: id }).unwrap();
    let (kept, gone) = (note(), note());
    let (job, other) = (later(&kept), later(&gone));
    db.mutation::<()>("notes:keep", fields! { job: job }).unwrap();
    assert!(db.advance(Duration::from_secs(3000)).is_empty());
    let runs = db.advance(Duration::from_secs(600));
    assert_eq!((runs.len(), &runs[0].id, runs[0].error()), (1, &other, None));
    let read = |id: &Id| db.query::<Option<weir::Value>>("notes:read", fields! { id: id }).unwrap().is_some();
    assert_eq!((read(&kept), read(&gone)), (true, false));
    assert!(db.finish_scheduled().is_empty());
}

#[test]
fn a_fortune_is_written_each_morning() {
    let db = Database::new();
    let runs = db.advance(Duration::from_secs(2 * 24 * 3600));
    let names: Vec<_> = runs.iter().map(|run| run.cron.as_deref()).collect();
    assert_eq!(names, [Some("fortune of the day"); 2]);
    assert_eq!(db.query::<Vec<weir::Value>>("notes:latest", fields! {}).unwrap().len(), 2);
}
