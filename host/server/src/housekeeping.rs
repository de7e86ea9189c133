//! What a server does now and then by itself: lets go of moments that nobody
//! came back to, and of the records of requests that nobody will repeat.

use std::sync::Arc;
use std::time::Duration;

use weir_value::{Timestamp, limits};

use crate::backend::Backend;

/// How often moments are looked through.
const MOMENTS_EVERY: Duration = Duration::from_secs(5);

/// How often the records of requests are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Keeps house, for ever.
pub async fn keep(backend: &Arc<Backend>) {
    let mut swept_at = backend.clock();
    loop {
        tokio::time::sleep(MOMENTS_EVERY).await;
        let now = backend.clock();
        backend.moments.release(now);
        if now.saturating_sub(swept_at) >= SWEEP_EVERY {
            swept_at = now;
            sweep(backend).await;
        }
    }
}

async fn sweep(backend: &Arc<Backend>) {
    let age_ns = limits::SESSION_RECORD_MS.saturating_mul(1_000_000);
    let older_than = Timestamp::from_nanos(backend.now().as_nanos().saturating_sub(age_ns));
    let db = Arc::clone(&backend.db);
    match backend.executor.run(move || db.sweep_session_requests(older_than)).await {
        Ok(Ok(sweep)) => tracing::debug!(sweep.scanned, sweep.removed, "swept old request records"),
        Ok(Err(error)) => tracing::warn!(%error, "old request records could not be swept; trying later"),
        Err(_) => {}
    }
}
