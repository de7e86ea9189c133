//! What a deployment does to the cron jobs that there are, in its own commit.
use std::collections::BTreeMap;

use bytes::Bytes;
use weir_store::ReadError;
use weir_value::{DocumentId, ErrorCode};

use super::{Cron, CronJob};
use crate::components::Components;
use crate::keyspace::{self, Namespace};
use crate::scan_all::scan_all;
use crate::{DbError, Transaction, system_tables};

pub(super) fn damaged() -> DbError {
    let message = "A cron job is damaged; restore the data folder from a backup.";
    DbError::new(ErrorCode::StorageFailed, message)
}

impl Transaction {
    /// The cron jobs that a component has, by their names, without those of this transaction.
    pub(super) fn committed_crons(
        &mut self,
        namespace: Namespace,
    ) -> Result<BTreeMap<String, (DocumentId, CronJob)>, DbError> {
        let (snapshot, mut rows) = (self.snapshot(), Vec::new());
        let all = keyspace::documents(system_tables::of(namespace, system_tables::CRON_JOBS));
        let read = scan_all(&snapshot, all, |key, document| {
            rows.push((key.clone(), document.clone()));
            Ok::<(), ReadError>(())
        });
        self.or_unreadable(read)?;
        let jobs = rows.iter().map(|(key, document)| {
            let (id, job) = keyspace::document_in_key(key).zip(CronJob::decode(document))?;
            Some((job.name().to_owned(), (id, job)))
        });
        jobs.collect::<Option<_>>().ok_or_else(damaged)
    }

    /// Makes the cron jobs be these, each in the namespace of the component that declares it; of a component that is mounted
    /// no longer there are none. One whose schedule stays as it is is due when it was; another schedule begins anew; a
    /// job that is no longer declared is gone, and a run of it that is under way ends. Whoever commits this holds the gate
    /// from before the snapshot was taken.
    pub(crate) fn deploy_crons(&mut self, crons: &[Cron], components: &Components) -> Result<(), DbError> {
        for namespace in components.namespaces() {
            let path = components.path(namespace);
            let own = crons.iter().filter(|cron| Some(cron.component()) == path);
            self.deploy_crons_in(namespace, own)?;
        }
        Ok(())
    }

    fn deploy_crons_in<'a>(
        &mut self,
        namespace: Namespace,
        crons: impl Iterator<Item = &'a Cron>,
    ) -> Result<(), DbError> {
        let mut before = self.committed_crons(namespace)?;
        self.uncounted(|tx| {
            for cron in crons {
                match before.remove(cron.name()) {
                    None => tx.add_cron(namespace, CronJob::new(cron, tx.context().now_ms))?,
                    Some((id, job)) => tx.change_cron(&id, job, cron)?,
                }
            }
            before.into_values().try_for_each(|(id, job)| tx.remove_cron(&id, &job))
        })
    }

    fn add_cron(&mut self, namespace: Namespace, job: CronJob) -> Result<(), DbError> {
        let table = system_tables::of(namespace, system_tables::CRON_JOBS);
        let id = self.insert_system(table, &job.encode())?;
        self.put_key(keyspace::due_job_key(job.stored.next_run, &id), Bytes::new());
        Ok(())
    }

    fn change_cron(&mut self, id: &DocumentId, mut job: CronJob, cron: &Cron) -> Result<(), DbError> {
        let is_scheduled_alike = job.schedule == cron.schedule;
        if is_scheduled_alike && job.function == cron.function && job.args() == cron.args {
            return Ok(());
        }
        let declared = CronJob::new(cron, self.context().now_ms);
        let due_before = job.due_ms();
        job.stored = super::StoredCron {
            next_run: if is_scheduled_alike { job.stored.next_run } else { declared.stored.next_run },
            state: job.stored.state,
            last_runs: job.stored.last_runs,
            ..declared.stored
        };
        if due_before != job.due_ms() {
            due_before.into_iter().for_each(|due_ms| self.delete_key(keyspace::due_job_key(due_ms, id)));
            job.due_ms().into_iter().for_each(|due_ms| {
                self.put_key(keyspace::due_job_key(due_ms, id), Bytes::new());
            });
        }
        self.replace_system(id, &job.encode())
    }

    fn remove_cron(&mut self, id: &DocumentId, job: &CronJob) -> Result<(), DbError> {
        match job.due_ms() {
            Some(due_ms) => self.delete_key(keyspace::due_job_key(due_ms, id)),
            None => self.delete_key(keyspace::begun_job_key(id)),
        }
        self.delete_system(id)
    }
}
