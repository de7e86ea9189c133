//! GET `/health`: whether the server is well, for whoever balances load or starts it anew.
//!
//! Everybody is told one word, by the status too: 200 `ok`, or 503 with why it takes no writes. The holder of an admin key
//! is told what there is.

use hyper::StatusCode;
use serde_json::json;
use weir_db::Principal;

use crate::answer::{Answer, json_text};
use crate::app::App;
use crate::identity::Permission;

/// The answer as things are now.
pub fn answer(app: &App, principal: &Principal) -> Answer {
    let (status, word) = state(app);
    let mut body = json!({ "status": word });
    if Permission::Inspect.check(principal).is_ok() {
        let (version, functions) = app.db.deployment();
        body["deployment"] = version.0.into();
        body["functions"] = functions.list().len().into();
        body["missingModules"] = app.deployer.missing_modules().into();
    }
    json_text(status, body.to_string())
}

/// A disk that is full is no reason to start it anew, but it is one to send writes elsewhere, and to tell somebody.
fn state(app: &App) -> (StatusCode, &'static str) {
    let stats = app.db.store().stats();
    match (stats.is_closed, stats.disk_full) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopped"),
        (false, true) => (StatusCode::SERVICE_UNAVAILABLE, "diskFull"),
        (false, false) => (StatusCode::OK, "ok"),
    }
}
