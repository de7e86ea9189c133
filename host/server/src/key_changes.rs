//! Making and revoking admin keys: first the table, then, once that is durable, the keys in memory, then the sockets.
//!
//! A change goes on to its end whether or not anybody still waits for it, so that memory never stays behind the table.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use weir_db::{AdminKeyError, AdminKeyRecord, NewAdminKey, Scope};
use weir_store::ReadError;
use weir_value::Timestamp;

use crate::admin_key::AdminKey;
use crate::app::App;
use crate::executor::{JobKind, JobLost, Work};
use crate::identity::{FIRST_KEY_NAME, hash_of};

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum KeyChangeError {
    /// The key of the data folder is no other key.
    #[error(
        "`{FIRST_KEY_NAME}` is the key in the data folder, and no other one can have its name: to replace it, remove the \
         file `{FIRST_KEY_NAME}` there and start the server again"
    )]
    First,
    /// It cannot be made, or there is none.
    #[error(transparent)]
    Refused(#[from] AdminKeyError),
    /// The table was changed, and cannot be read.
    #[error("the keys cannot be read again: {0}; start the server again")]
    Read(#[from] ReadError),
    /// There is no randomness for a new key.
    #[error("no new key can be made: {0}")]
    Random(#[from] std::io::Error),
    /// The server is stopping, or has failed.
    #[error("the server ended the change before it was done")]
    Lost,
}

impl From<JobLost> for KeyChangeError {
    fn from(_: JobLost) -> Self {
        KeyChangeError::Lost
    }
}

/// Makes a key. Its text is given once, here: it is kept nowhere.
///
/// # Errors
/// See [`KeyChangeError`].
pub async fn create(
    app: &Arc<App>,
    name: String,
    scope: Scope,
    lifetime: Option<Duration>,
) -> Result<(AdminKey, AdminKeyRecord), KeyChangeError> {
    if name == FIRST_KEY_NAME {
        return Err(KeyChangeError::First);
    }
    let key = AdminKey::generate(app.identities.instance_name())?;
    let new = NewAdminKey { name, hash: hash_of(key.as_str()), scope, lifetime };
    let db = Arc::clone(&app.db);
    let record = change(app, move || db.create_admin_key(&new)).await?;
    tracing::info!(name = record.name, %scope, "an admin key was made");
    Ok((key, record))
}

/// Revokes a key, and ends its sockets.
///
/// # Errors
/// See [`KeyChangeError`].
pub async fn revoke(app: &Arc<App>, name: String) -> Result<(), KeyChangeError> {
    if name == FIRST_KEY_NAME {
        return Err(KeyChangeError::First);
    }
    let (db, revoked) = (Arc::clone(&app.db), name.clone());
    change(app, move || db.revoke_admin_key(&revoked).map(|ts| ((), ts))).await?;
    tracing::info!(name, "an admin key was revoked");
    Ok(())
}

async fn change<T: Send + 'static>(
    app: &Arc<App>,
    commit: impl FnOnce() -> Result<(T, Timestamp), AdminKeyError> + Send + 'static,
) -> Result<T, KeyChangeError> {
    let (sender, receiver) = oneshot::channel();
    let its_app = Arc::clone(app);
    app.machine.tasks.spawn(async move {
        let _ = sender.send(carry_out(&its_app, commit).await);
    });
    receiver.await.unwrap_or(Err(KeyChangeError::Lost))
}

async fn carry_out<T: Send + 'static>(
    app: &Arc<App>,
    commit: impl FnOnce() -> Result<(T, Timestamp), AdminKeyError> + Send + 'static,
) -> Result<T, KeyChangeError> {
    let (made, ts) = app.machine.executor.run(Work::of_host(JobKind::Client), commit).await??;
    app.durable.wait(ts).await;
    let identities = Arc::clone(&app.identities);
    app.machine.executor.run(Work::of_host(JobKind::Client), move || identities.keys().refresh()).await??;
    app.live.grounds_changed();
    Ok(made)
}
