//! Bodies that are written while something waits for what comes of them.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::executor::begin_beside;
use super::task::Task;
use crate::failure::Result;

/// Writes a body until what it is sent with comes to its end, which may be before: a response that is there, a file that is
/// refused. What fails to be written fails that.
pub(crate) async fn send_beside(
    sent: Task,
    upload: impl Future<Output = Result<()>> + 'static,
) -> Result<Vec<u8>> {
    let mut sent = pin!(sent);
    let mut upload = Some(Box::pin(upload));
    let head = poll_fn(|context| {
        if let Some(Poll::Ready(written)) = upload.as_mut().map(|upload| upload.as_mut().poll(context)) {
            upload = None;
            if let Err(error) = written {
                return Poll::Ready(Err(error));
            }
        }
        sent.as_mut().poll(context)
    });
    let head = head.await?;
    if let Some(upload) = upload {
        begin_beside(async {
            // Its reader is told that the body broke off.
            let _ = upload.await;
        });
    }
    Ok(head)
}
