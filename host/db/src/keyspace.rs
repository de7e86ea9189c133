//! Where everything stands among the store's keys.
//!
//! The first byte of a key says what it is:
//!
//! | byte | key | value |
//! |---|---|---|
//! | 0 | `n` namespace, `u32`; table name | table number, `u32` |
//! | 0 | `i` table number, `u32` | namespace, `u32`; table name |
//! | 0 | `c` table number, `u32` | how many documents the table has, `u64` |
//! | 0 | `b` index number, `u32` | how far the index is built: the key of the last document that is in it |
//! | 0 | `v` name of a variable | the last two parts of its document's key |
//! | 0 | `d` time when a job is due, 8 bytes that sort; the place of its document | nothing |
//! | 0 | `e` time when a job ended; the place of its document | nothing |
//! | 0 | `g` the place of the document of an action that has begun | nothing |
//! | 0 | `f` name of a stored file, 16 bytes | the place of its document |
//! | 0 | `o` the place of a stored file's document | the file's name |
//! | 0 | `r` time when a stored file was deleted, 8 bytes that sort; its name | nothing |
//! | 0 | `u` time when an upload URL was made, 8 bytes that sort; 16 bytes of its token's hash | 1 if it was used, else the namespace, `u32`, whose files it is for, nothing for the app's |
//! | 0 | `s` name of a system record | the record |
//! | 1 | table number, `u32`; creation time, 8 bytes that sort; 8 random bytes | the document |
//! | 2 | session, 16 bytes; request, `u32` | the session record |
//! | 3 | index number, `u32`; sort keys of the index's fields; the document's creation time and random bytes | nothing |
//!
//! The **place** of a job's or a file's document are the last two parts of its key; behind them `c` if it is a cron job of the
//! app, or the table number, `u32`, if it is a component's.
//!
//! Numbers are big-endian. 4 and above are reserved (id to creation time for ids that came from elsewhere).
//!
//! **Invariant:** nothing here reads or writes; it turns names into bytes and back.
//!
//! One key serves both built-in indexes. Within a table documents stand by creation time, then by the random
//! bytes: that is `by_creation_time`, whose ties are broken by id. An id is the table, the creation time and the
//! random bytes, in that order and in an encoding that keeps the order, so `by_id` is the same sequence.
use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;
use weir_value::{CreationTime, DocumentId, TableNumber};

use crate::{KeyRange, SessionRequest, system_tables};

const SYSTEM: u8 = 0;
const DOCUMENTS: u8 = 1;
const SESSION_REQUESTS: u8 = 2;
const INDEX_ENTRIES: u8 = 3;

const TABLE_NAMES: u8 = b'n';
const TABLE_NUMBERS: u8 = b'i';
const TABLE_COUNTS: u8 = b'c';
const INDEX_PROGRESS: u8 = b'b';
const SYSTEM_RECORDS: u8 = b's';
const VARIABLE_NAMES: u8 = b'v';
const DUE_JOBS: u8 = b'd';
const ENDED_JOBS: u8 = b'e';
const BEGUN_JOBS: u8 = b'g';
/// What the key of a job ends with that is a cron job of the app.
const CRON_MARK: u8 = b'c';
const FILES: u8 = b'f';
const FILES_OF_DOCUMENTS: u8 = b'o';
const REMOVED_FILES: u8 = b'r';
const UPLOADS: u8 = b'u';

/// Creation time and random bytes: what tells a document from the others of its table.
const DOCUMENT_SUFFIX_BYTES: usize = 8 + 8;
/// Space, table, and the rest.
const DOCUMENT_KEY_BYTES: usize = 1 + 4 + DOCUMENT_SUFFIX_BYTES;

/// The key of a document, to look it up only.
pub(crate) type DocumentKey = [u8; DOCUMENT_KEY_BYTES];

/// Space and number: what all keys of a table's documents, or of an index's entries, begin with.
pub(crate) const SOURCE_PREFIX_BYTES: usize = 1 + 4;

/// Whose a table is: the app's own, or a component's. Names are unique within a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(pub u32);

impl Namespace {
    /// The app's own.
    pub const APP: Namespace = Namespace(0);
    /// One that is never given: nothing is in it.
    pub(crate) const NOBODY: Namespace = Namespace((1 << 27) - 1);
}

/// The number of an index, unique in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexNumber(pub u32);

/// The key under which the table of this name has its number.
pub(crate) fn table_name_key(namespace: Namespace, name: &str) -> Bytes {
    let mut rest = namespace.0.to_be_bytes().to_vec();
    rest.extend_from_slice(name.as_bytes());
    system_key(TABLE_NAMES, &rest)
}

/// The names of all tables of a namespace.
pub(crate) fn table_names(namespace: Namespace) -> KeyRange {
    let start = table_name_key(namespace, "");
    KeyRange { end: behind_prefix(&start), start }
}

/// The key under which the table of this number has its name.
pub(crate) fn table_number_key(table: TableNumber) -> Bytes {
    system_key(TABLE_NUMBERS, &table.0.to_be_bytes())
}

/// All tables, by number.
pub(crate) fn table_numbers() -> KeyRange {
    KeyRange { start: system_key(TABLE_NUMBERS, &[]), end: system_key(TABLE_NUMBERS + 1, &[]) }
}

/// The number in a key of [`table_numbers`].
pub(crate) fn number_in_key(key: &[u8]) -> Option<TableNumber> {
    number_in_value(key.strip_prefix(&[SYSTEM, TABLE_NUMBERS])?)
}

/// The number that a table's name has in the catalog.
pub(crate) fn number_in_value(value: &[u8]) -> Option<TableNumber> {
    Some(TableNumber(u32::from_be_bytes(value.try_into().ok()?)))
}

/// What the catalog says of a table's number: its namespace and name.
pub(crate) fn table_in_value(value: &[u8]) -> Option<(Namespace, &str)> {
    let (namespace, name) = value.split_first_chunk::<4>()?;
    Some((Namespace(u32::from_be_bytes(*namespace)), std::str::from_utf8(name).ok()?))
}

/// The value of [`table_number_key`].
pub(crate) fn table_value(namespace: Namespace, name: &str) -> Bytes {
    let mut value = namespace.0.to_be_bytes().to_vec();
    value.extend_from_slice(name.as_bytes());
    value.into()
}

/// The key under which a table's number of documents stands. Absent: none.
pub(crate) fn table_count_key(table: TableNumber) -> Bytes {
    system_key(TABLE_COUNTS, &table.0.to_be_bytes())
}

/// All counts of tables.
pub(crate) fn table_counts() -> KeyRange {
    KeyRange { start: system_key(TABLE_COUNTS, &[]), end: system_key(TABLE_COUNTS + 1, &[]) }
}

/// The table in a key of [`table_counts`].
pub(crate) fn table_of_count(key: &[u8]) -> Option<TableNumber> {
    number_in_value(key.strip_prefix(&[SYSTEM, TABLE_COUNTS])?)
}

/// The count under a [`table_count_key`].
pub(crate) fn count_in_value(value: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(value.try_into().ok()?))
}

/// The key that says how far an index is built.
pub(crate) fn index_progress_key(index: IndexNumber) -> Bytes {
    system_key(INDEX_PROGRESS, &index.0.to_be_bytes())
}

/// The key under which stands where a variable's document is.
pub(crate) fn variable_name_key(name: &str) -> Bytes {
    system_key(VARIABLE_NAMES, name.as_bytes())
}

/// The names of all variables.
pub(crate) fn variable_names() -> KeyRange {
    KeyRange { start: system_key(VARIABLE_NAMES, &[]), end: system_key(VARIABLE_NAMES + 1, &[]) }
}

/// The name in a key of [`variable_names`].
pub(crate) fn variable_in_key(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(&[SYSTEM, VARIABLE_NAMES])?).ok()
}

/// Where a document is within its table.
pub(crate) fn document_place(id: &DocumentId) -> Bytes {
    let mut place = BytesMut::with_capacity(DOCUMENT_SUFFIX_BYTES);
    place.put_slice(&id.creation_time.sort_bits());
    place.put_slice(&id.random);
    place.freeze()
}

/// The document of this table that [`document_place`] was given.
pub(crate) fn document_at_place(table: TableNumber, place: &[u8]) -> Option<DocumentId> {
    (place.len() == DOCUMENT_SUFFIX_BYTES).then(|| document_of_entry(place, table)).flatten()
}

/// The key under which a job waits for its time, in milliseconds since the epoch.
pub(crate) fn due_job_key(due_ms: f64, id: &DocumentId) -> Bytes {
    job_key(DUE_JOBS, due_ms, id)
}

/// The key under which a job stands by the time of its end.
pub(crate) fn ended_job_key(ended_ms: f64, id: &DocumentId) -> Bytes {
    job_key(ENDED_JOBS, ended_ms, id)
}

/// The key under which a job stands that is an action and has begun.
pub(crate) fn begun_job_key(id: &DocumentId) -> Bytes {
    system_key(BEGUN_JOBS, &job_place(id))
}

/// The jobs that are actions and have begun.
pub(crate) fn begun_jobs() -> KeyRange {
    KeyRange { start: system_key(BEGUN_JOBS, &[]), end: system_key(BEGUN_JOBS + 1, &[]) }
}

/// The job in a key of [`begun_jobs`].
pub(crate) fn begun_job_in_key(key: &[u8]) -> Option<DocumentId> {
    job_at_place(key.strip_prefix(&[SYSTEM, BEGUN_JOBS])?)
}

/// The jobs that wait and are due at this time or later, the first that is due first.
pub(crate) fn due_jobs_from(from_ms: f64) -> KeyRange {
    let from = CreationTime::new(from_ms).unwrap_or(CreationTime::ZERO).sort_bits();
    KeyRange { start: system_key(DUE_JOBS, &from), end: system_key(DUE_JOBS + 1, &[]) }
}

/// Whether a key is one of [`due_jobs_from`].
pub(crate) fn is_due_job(key: &[u8]) -> bool {
    key.starts_with(&[SYSTEM, DUE_JOBS])
}

/// The jobs that have come to their end, the oldest first.
pub(crate) fn ended_jobs() -> KeyRange {
    KeyRange { start: system_key(ENDED_JOBS, &[]), end: system_key(ENDED_JOBS + 1, &[]) }
}

/// Time and job in a key of [`due_jobs_from`] or [`ended_jobs`].
pub(crate) fn job_in_key(key: &[u8]) -> Option<(f64, DocumentId)> {
    let rest = key.strip_prefix(&[SYSTEM, DUE_JOBS]).or_else(|| key.strip_prefix(&[SYSTEM, ENDED_JOBS]))?;
    let (time, place) = rest.split_first_chunk::<8>()?;
    let time = CreationTime::from_sort_bits(*time)?.as_f64();
    Some((time, job_at_place(place)?))
}

fn job_key(kind: u8, at_ms: f64, id: &DocumentId) -> Bytes {
    let mut rest = CreationTime::new(at_ms).unwrap_or(CreationTime::ZERO).sort_bits().to_vec();
    rest.extend_from_slice(&job_place(id));
    system_key(kind, &rest)
}

/// Where a job's document is, in whichever of the tables of jobs.
fn job_place(id: &DocumentId) -> Vec<u8> {
    match id.table {
        system_tables::SCHEDULED_FUNCTIONS => document_place(id).to_vec(),
        system_tables::CRON_JOBS => [&document_place(id)[..], &[CRON_MARK]].concat(),
        table => [&document_place(id)[..], &table.0.to_be_bytes()].concat(),
    }
}

fn job_at_place(place: &[u8]) -> Option<DocumentId> {
    let (suffix, rest) = place.split_at_checked(DOCUMENT_SUFFIX_BYTES)?;
    let table = match rest {
        [] => system_tables::SCHEDULED_FUNCTIONS,
        [CRON_MARK] => system_tables::CRON_JOBS,
        number => number_in_value(number).filter(is_of_jobs)?,
    };
    document_at_place(table, suffix)
}

fn is_of_jobs(table: &TableNumber) -> bool {
    system_tables::is_kind(*table, system_tables::SCHEDULED_FUNCTIONS)
        || system_tables::is_kind(*table, system_tables::CRON_JOBS)
}

/// Where a stored file's document is, in whichever of the tables of files.
pub(crate) fn file_place(id: &DocumentId) -> Bytes {
    match id.table {
        system_tables::STORAGE => document_place(id),
        table => [&document_place(id)[..], &table.0.to_be_bytes()].concat().into(),
    }
}

/// The document that [`file_place`] was given.
pub(crate) fn file_at_place(place: &[u8]) -> Option<DocumentId> {
    let (suffix, rest) = place.split_at_checked(DOCUMENT_SUFFIX_BYTES)?;
    let table = match rest {
        [] => system_tables::STORAGE,
        number => {
            number_in_value(number).filter(|table| system_tables::is_kind(*table, system_tables::STORAGE))?
        }
    };
    document_at_place(table, suffix)
}

/// The key under which stands where the document of a stored file is.
pub(crate) fn file_key(file: Uuid) -> Bytes {
    system_key(FILES, file.as_bytes())
}

/// The key under which stands which file a document of `_storage` is about.
pub(crate) fn file_of_document_key(id: &DocumentId) -> Bytes {
    system_key(FILES_OF_DOCUMENTS, &file_place(id))
}

/// The document in a key of [`file_of_document_key`].
pub(crate) fn document_of_file_in_key(key: &[u8]) -> Option<DocumentId> {
    file_at_place(key.strip_prefix(&[SYSTEM, FILES_OF_DOCUMENTS])?)
}

/// The name in a key of [`file_key`].
pub(crate) fn file_in_key(key: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(key.strip_prefix(&[SYSTEM, FILES])?).ok()
}

/// The key of a stored file that was deleted at this time, in milliseconds since the epoch, and lies there still.
pub(crate) fn removed_file_key(at_ms: f64, file: Uuid) -> Bytes {
    timed_key(REMOVED_FILES, at_ms, file.as_bytes())
}

/// The stored files that were deleted and lie there still, the oldest first.
pub(crate) fn removed_files() -> KeyRange {
    KeyRange { start: system_key(REMOVED_FILES, &[]), end: system_key(REMOVED_FILES + 1, &[]) }
}

/// Time and name in a key of [`removed_files`].
pub(crate) fn removed_file_in_key(key: &[u8]) -> Option<(f64, Uuid)> {
    let (time, name) = key.strip_prefix(&[SYSTEM, REMOVED_FILES])?.split_first_chunk::<8>()?;
    Some((CreationTime::from_sort_bits(*time)?.as_f64(), Uuid::from_slice(name).ok()?))
}

/// The namespace whose files an upload URL is for, if it is a component's.
pub(crate) fn upload_value(namespace: Namespace) -> Bytes {
    match namespace {
        Namespace::APP => Bytes::new(),
        Namespace(number) => Bytes::copy_from_slice(&number.to_be_bytes()),
    }
}

/// The namespace in an [`upload_value`].
pub(crate) fn namespace_of_upload(value: &[u8]) -> Option<Namespace> {
    match value {
        [] => Some(Namespace::APP),
        value => Some(Namespace(u32::from_be_bytes(value.try_into().ok()?))),
    }
}

/// The key of an upload URL that was made at this time, in milliseconds since the epoch.
pub(crate) fn upload_key(at_ms: f64, token_hash: &[u8; 16]) -> Bytes {
    timed_key(UPLOADS, at_ms, token_hash)
}

/// The upload URLs, the oldest first.
pub(crate) fn uploads() -> KeyRange {
    KeyRange { start: system_key(UPLOADS, &[]), end: system_key(UPLOADS + 1, &[]) }
}

/// The time in a key of [`uploads`].
pub(crate) fn upload_in_key(key: &[u8]) -> Option<f64> {
    let (time, hash) = key.strip_prefix(&[SYSTEM, UPLOADS])?.split_first_chunk::<8>()?;
    let time = CreationTime::from_sort_bits(*time)?.as_f64();
    (hash.len() == 16).then_some(time)
}

fn timed_key(kind: u8, at_ms: f64, rest: &[u8]) -> Bytes {
    let time = CreationTime::new(at_ms).unwrap_or(CreationTime::ZERO).sort_bits();
    system_key(kind, &[&time[..], rest].concat())
}

/// A record of the host itself.
pub(crate) fn system_record_key(name: &str) -> Bytes {
    system_key(SYSTEM_RECORDS, name.as_bytes())
}

fn system_key(kind: u8, rest: &[u8]) -> Bytes {
    let mut key = BytesMut::with_capacity(2 + rest.len());
    key.put_slice(&[SYSTEM, kind]);
    key.put_slice(rest);
    key.freeze()
}

/// A document.
pub(crate) fn document_key(id: &DocumentId) -> Bytes {
    Bytes::copy_from_slice(&document_key_bytes(id))
}

/// The same, where nobody keeps it.
pub(crate) fn document_key_bytes(id: &DocumentId) -> DocumentKey {
    let mut key = [0; DOCUMENT_KEY_BYTES];
    let (created_at_bytes, random) = key.split_at_mut(DOCUMENT_KEY_BYTES - id.random.len());
    created_at_bytes.copy_from_slice(&created_at(id.table, id.creation_time));
    random.copy_from_slice(&id.random);
    key
}

/// The id of the document under this key; `None` if it is no document's key.
pub(crate) fn document_in_key(key: &[u8]) -> Option<DocumentId> {
    let (table, rest) = key.strip_prefix(&[DOCUMENTS])?.split_first_chunk::<4>()?;
    let (time, random) = rest.split_first_chunk::<8>()?;
    Some(DocumentId {
        table: TableNumber(u32::from_be_bytes(*table)),
        creation_time: CreationTime::from_sort_bits(*time)?,
        random: random.try_into().ok()?,
    })
}

/// The table and, if it says one, the creation time of a key or of the end of a range among documents.
pub(crate) fn place_among_documents(key: &[u8]) -> Option<(TableNumber, Option<CreationTime>)> {
    let (table, rest) = key.strip_prefix(&[DOCUMENTS])?.split_first_chunk::<4>()?;
    let time = rest.first_chunk::<8>().and_then(|bits| CreationTime::from_sort_bits(*bits));
    Some((TableNumber(u32::from_be_bytes(*table)), time))
}

/// The namespace and the name of the table whose number stands under this key.
pub(crate) fn table_in_key(key: &[u8]) -> Option<(Namespace, &str)> {
    table_in_value(key.strip_prefix(&[SYSTEM, TABLE_NAMES])?)
}

/// What the keys of an index's entries begin with.
pub(crate) fn index_prefix(index: IndexNumber) -> Vec<u8> {
    let mut key = Vec::with_capacity(64);
    key.push(INDEX_ENTRIES);
    key.extend_from_slice(&index.0.to_be_bytes());
    key
}

/// Makes an entry's key of its prefix and the sort keys of its fields.
pub(crate) fn index_entry_key(mut prefix_and_fields: Vec<u8>, id: &DocumentId) -> Bytes {
    prefix_and_fields.extend_from_slice(&id.creation_time.sort_bits());
    prefix_and_fields.extend_from_slice(&id.random);
    prefix_and_fields.into()
}

/// All entries of an index.
pub(crate) fn index_entries(index: IndexNumber) -> KeyRange {
    let start = index_prefix(index);
    KeyRange { end: behind_prefix(&start), start: start.into() }
}

/// The index and, without its fields' sort keys, the document of an entry's key.
pub(crate) fn index_in_key(key: &[u8]) -> Option<IndexNumber> {
    let (number, _) = key.strip_prefix(&[INDEX_ENTRIES])?.split_first_chunk::<4>()?;
    Some(IndexNumber(u32::from_be_bytes(*number)))
}

/// Where the sort keys of an index entry's fields stand in its key; `None` if it is no entry's key.
pub(crate) fn sort_keys_of_entry(key: &[u8]) -> Option<std::ops::Range<usize>> {
    index_in_key(key)?;
    let (start, end) = (1 + size_of::<u32>(), key.len().checked_sub(DOCUMENT_SUFFIX_BYTES)?);
    (start <= end).then_some(start..end)
}

/// The document of this table that an index entry stands for.
pub(crate) fn document_of_entry(key: &[u8], table: TableNumber) -> Option<DocumentId> {
    let suffix = key.last_chunk::<DOCUMENT_SUFFIX_BYTES>()?;
    let (time, random) = suffix.split_first_chunk::<8>()?;
    Some(DocumentId {
        table,
        creation_time: CreationTime::from_sort_bits(*time)?,
        random: random.try_into().ok()?,
    })
}

/// All documents of a table.
pub(crate) fn documents(table: TableNumber) -> KeyRange {
    KeyRange { start: document_prefix(table.0), end: document_prefix(table.0 + 1) }
}

fn document_prefix(table: u32) -> Bytes {
    let mut key = [DOCUMENTS; 5];
    key[1..].copy_from_slice(&table.to_be_bytes());
    Bytes::copy_from_slice(&key)
}

/// What the keys of the documents begin with that a table got at this time.
pub(crate) fn created_at(table: TableNumber, time: CreationTime) -> [u8; 13] {
    let mut key = [DOCUMENTS; 13];
    key[1..5].copy_from_slice(&table.0.to_be_bytes());
    key[5..].copy_from_slice(&time.sort_bits());
    key
}

/// What a session's request came to.
pub(crate) fn session_request_key(request: &SessionRequest) -> Bytes {
    let mut key = BytesMut::with_capacity(1 + 16 + 4);
    key.put_u8(SESSION_REQUESTS);
    key.put_slice(&request.session);
    key.put_u32(request.request);
    key.freeze()
}

/// All records of a session.
pub(crate) fn session_requests_of(session: [u8; 16]) -> KeyRange {
    let start = session_request_key(&SessionRequest { session, request: 0 });
    let last = session_request_key(&SessionRequest { session, request: u32::MAX });
    KeyRange { start, end: successor(&last) }
}

/// Which request a record's key is of. `None`: it is not the key of a record.
pub(crate) fn request_of_key(key: &[u8]) -> Option<u32> {
    let (&kind, rest) = key.split_first()?;
    let (_session, request) = rest.split_first_chunk::<16>()?;
    (kind == SESSION_REQUESTS).then_some(u32::from_be_bytes(request.try_into().ok()?))
}

/// All session records.
pub(crate) fn session_requests() -> KeyRange {
    KeyRange {
        start: Bytes::from_static(&[SESSION_REQUESTS]),
        end: Bytes::from_static(&[SESSION_REQUESTS + 1]),
    }
}

/// Behind every key of a database.
pub(crate) const END: &[u8] = &[u8::MAX];

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum KeyKind<'a> {
    TableName(Namespace, &'a str),
    TableNumber(TableNumber),
    TableCount(TableNumber),
    IndexProgress(IndexNumber),
    IndexEntry(IndexNumber),
    VariableName(&'a str),
    DueJob(f64, DocumentId),
    EndedJob(f64, DocumentId),
    BegunJob(DocumentId),
    File(Uuid),
    FileOfDocument(DocumentId),
    RemovedFile(Uuid),
    Upload,
    SystemRecord,
    Document(DocumentId),
    Request,
}

/// What this key stands for; `None` for none of a database.
pub(crate) fn kind(key: &[u8]) -> Option<KeyKind<'_>> {
    match key {
        [SYSTEM, TABLE_NAMES, ..] => {
            table_in_key(key).map(|(namespace, name)| KeyKind::TableName(namespace, name))
        }
        [SYSTEM, TABLE_NUMBERS, ..] => number_in_key(key).map(KeyKind::TableNumber),
        [SYSTEM, TABLE_COUNTS, rest @ ..] => number_in_value(rest).map(KeyKind::TableCount),
        [SYSTEM, INDEX_PROGRESS, rest @ ..] => {
            number_in_value(rest).map(|number| KeyKind::IndexProgress(IndexNumber(number.0)))
        }
        [INDEX_ENTRIES, ..] => index_in_key(key).map(KeyKind::IndexEntry),
        [SYSTEM, VARIABLE_NAMES, ..] => variable_in_key(key).map(KeyKind::VariableName),
        [SYSTEM, DUE_JOBS, ..] => job_in_key(key).map(|(time, id)| KeyKind::DueJob(time, id)),
        [SYSTEM, ENDED_JOBS, ..] => job_in_key(key).map(|(time, id)| KeyKind::EndedJob(time, id)),
        [SYSTEM, BEGUN_JOBS, ..] => begun_job_in_key(key).map(KeyKind::BegunJob),
        [SYSTEM, FILES, ..] => file_in_key(key).map(KeyKind::File),
        [SYSTEM, FILES_OF_DOCUMENTS, ..] => document_of_file_in_key(key).map(KeyKind::FileOfDocument),
        [SYSTEM, REMOVED_FILES, ..] => removed_file_in_key(key).map(|(_, name)| KeyKind::RemovedFile(name)),
        [SYSTEM, UPLOADS, ..] => upload_in_key(key).map(|_| KeyKind::Upload),
        [SYSTEM, SYSTEM_RECORDS, ..] => Some(KeyKind::SystemRecord),
        [DOCUMENTS, ..] => document_in_key(key).map(KeyKind::Document),
        [SESSION_REQUESTS, rest @ ..] => (rest.len() == 16 + 4).then_some(KeyKind::Request),
        _ => None,
    }
}

/// The key right after this one.
pub(crate) fn successor(key: &[u8]) -> Bytes {
    let mut next = BytesMut::with_capacity(key.len() + 1);
    next.put_slice(key);
    next.put_u8(0);
    next.freeze()
}

/// All keys that begin with this prefix. Both ends lie in its allocation.
pub(crate) fn with_prefix(mut prefix: Vec<u8>) -> KeyRange {
    let len = prefix.len();
    prefix.extend_from_within(..prefix_of_behind(&prefix).len());
    if let Some(last) = prefix[len..].last_mut() {
        *last += 1;
    }
    let mut start = Bytes::from(prefix);
    let end = start.split_off(len);
    KeyRange { start, end }
}

/// What of a prefix the first key behind it keeps, but that its last byte is one more.
fn prefix_of_behind(prefix: &[u8]) -> &[u8] {
    let kept = prefix.iter().rposition(|byte| *byte != u8::MAX).map_or(0, |last| last + 1);
    &prefix[..kept]
}

/// The first key behind all that begin with this prefix.
pub(crate) fn behind_prefix(prefix: &[u8]) -> Bytes {
    let mut end = prefix_of_behind(prefix).to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(table: u32, ms: f64, random: [u8; 8]) -> DocumentId {
        DocumentId {
            table: TableNumber(table),
            creation_time: CreationTime::new(ms).expect("a time"),
            random,
        }
    }

    #[test]
    fn spaces_do_not_overlap() {
        let numbers = table_numbers();
        assert!(numbers.contains(&table_number_key(TableNumber(u32::MAX))));
        assert!(!numbers.contains(&table_name_key(Namespace::APP, "i")));
        assert!(!numbers.contains(&system_record_key("i")));
        let documents = documents(TableNumber(10_001));
        assert!(documents.contains(&document_key(&id(10_001, 0.0, [0; 8]))));
        assert!(!documents.contains(&document_key(&id(10_002, 0.0, [0; 8]))));
        let variables = variable_names();
        assert!(variables.contains(&variable_name_key("A")) && !variables.contains(&system_record_key("v")));
        let record = SessionRequest { session: [255; 16], request: u32::MAX };
        assert!(session_requests().contains(&session_request_key(&record)));
    }

    #[test]
    fn numbers_come_back() {
        let key = table_number_key(TableNumber(10_777));
        assert_eq!(number_in_key(&key), Some(TableNumber(10_777)));
        assert_eq!(number_in_key(&table_name_key(Namespace::APP, "abcd")), None);
        assert_eq!(number_in_value(&[1, 2, 3]), None);
    }

    proptest! {
        #[test]
        fn keys_and_ids_have_the_same_order(
            a in (0.0..4e12f64, any::<[u8; 8]>()), b in (0.0..4e12f64, any::<[u8; 8]>()),
        ) {
            let (a, b) = (id(10_001, a.0, a.1), id(10_001, b.0, b.1));
            let keys = document_key(&a).cmp(&document_key(&b));
            prop_assert_eq!(keys, a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn a_prefix_ends_where_it_says(prefix in prop::collection::vec(any::<u8>(), 1..6), key in prop::collection::vec(any::<u8>(), 0..8)) {
            prop_assume!(prefix.iter().any(|byte| *byte != u8::MAX));
            let range = with_prefix(prefix.clone());
            prop_assert_eq!(&range, &KeyRange { start: prefix.clone().into(), end: behind_prefix(&prefix) });
            prop_assert_eq!(range.contains(&key), key.starts_with(&prefix));
        }
    }
}
