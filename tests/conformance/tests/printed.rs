//! What a function in Go prints with the language's own means becomes log lines.

use anyhow::Result;
use weir_build::Language;
use weir_conformance::{deploy, folder, runtime};
use weir_db::FunctionKind;
use weir_testing::{NOW_MS_DEFAULT, TestDatabase};

#[test]
fn go() -> Result<()> {
    let runtime = runtime()?;
    let deployment = deploy(&runtime, &folder("guests/go"), Language::Go)?;
    let mut db = TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?;
    // The second call begins with what the first has not left.
    for _ in 0..2 {
        let outcome = db.call(FunctionKind::Query, "bench:print", "{}".into())?;
        assert_eq!(
            outcome.log_lines,
            [
                "[LOG] a line",
                "[LOG] parts of one",
                "[LOG] and two lines",
                "[WARN] a warning",
                "[LOG] without an end",
            ]
        );
    }
    Ok(())
}
