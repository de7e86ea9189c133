//! How far a deployment is that takes its time: a line now and then, on standard error.

use std::time::Duration;

use weir_server::deploy::Progress;

/// How often it is looked; a deployment that is done before the first look says nothing.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Does the work, and says meanwhile how far it is.
pub async fn report<T>(work: impl Future<Output = T>, look: impl AsyncFn() -> Option<Progress>) -> T {
    report_every(LOOK_EVERY, work, look).await
}

async fn report_every<T>(
    interval: Duration,
    work: impl Future<Output = T>,
    look: impl AsyncFn() -> Option<Progress>,
) -> T {
    let mut work = std::pin::pin!(work);
    let mut said = String::new();
    loop {
        let next = async {
            tokio::time::sleep(interval).await;
            look().await
        };
        // The work goes on during a look, and ends it.
        let progress = tokio::select! {
            biased;
            done = &mut work => return done,
            progress = next => progress,
        };
        if let Some(line) = progress.and_then(|progress| describe(&progress))
            && line != said
        {
            eprintln!("{line}");
            said = line;
        }
    }
}

/// What is being worked at; `None`: nothing that takes its time.
fn describe(progress: &Progress) -> Option<String> {
    if progress.documents_checked < progress.documents_to_check {
        let (checked, of) = (progress.documents_checked, progress.documents_to_check);
        return Some(format!("checking documents against the schema: {checked} of {of}"));
    }
    let index = progress.indexes.iter().find(|index| index.documents < index.of)?;
    let (table, name, documents, of) = (&index.table, &index.index, index.documents, index.of);
    Some(format!("building the index {table}.{name}: {documents} of {of} documents"))
}

#[cfg(test)]
mod tests {
    use weir_server::deploy::IndexWork;

    use super::*;

    fn index(name: &str, documents: u64, of: u64) -> IndexWork {
        IndexWork { table: "tasks".to_owned(), index: name.to_owned(), documents, of }
    }

    #[test]
    fn what_is_under_way_is_told() {
        let mut progress = Progress { documents_checked: 5, documents_to_check: 10, indexes: Vec::new() };
        progress.indexes = vec![index("by_a", 3, 3), index("by_b", 1, 3)];
        assert_eq!(describe(&progress).unwrap(), "checking documents against the schema: 5 of 10");
        progress.documents_checked = 10;
        assert_eq!(describe(&progress).unwrap(), "building the index tasks.by_b: 1 of 3 documents");
        progress.indexes[1].documents = 3;
        assert_eq!(describe(&progress), None);
    }

    #[tokio::test]
    async fn the_work_is_looked_at_until_it_is_done() {
        let looks = std::cell::Cell::new(0);
        let third = tokio::sync::Notify::new();
        let look = async || {
            looks.set(looks.get() + 1);
            if looks.get() == 3 {
                third.notify_one();
            }
            None
        };
        report_every(Duration::from_millis(1), third.notified(), look).await;
        assert_eq!(looks.get(), 3);
    }
}
