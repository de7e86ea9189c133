//! What functions do with stored files, as a part of their transaction.
use bytes::Bytes;
use uuid::Uuid;
use weir_value::{DocumentId, ErrorCode};

use super::Transaction;
use super::write::damaged;
use crate::files::{NewFile, StoredDocument, StoredFile, new_token};
use crate::{DbError, keyspace, system_tables};

/// The built-in variable that says where clients reach the host.
const HOST_URL: &str = "CONVEX_CLOUD_URL";
/// What is kept of an upload URL, in bytes, about.
const UPLOAD_BYTES: usize = 32;

impl Transaction {
    /// A URL by which one file may be uploaded, within an hour from now.
    ///
    /// # Errors
    /// `ReadOnly` in a query; the limits of writes.
    pub fn generate_upload_url(&mut self) -> Result<String, DbError> {
        self.count_host_call()?;
        self.writable()?;
        let counted = self.usage.add_write(UPLOAD_BYTES);
        self.or_poison(counted)?;
        let (text, token) = new_token(self.context.now_ms, self.shared.entropy.draw());
        self.put_key(token.key(), keyspace::upload_value(self.namespace));
        Ok(format!("{}/api/storage/upload?token={text}", self.host_url()))
    }

    /// The URL of a stored file, by which everybody may read it. `None`: it was deleted.
    ///
    /// # Errors
    /// `InvalidId`: not the id of a stored file; the limits of reads.
    pub fn file_url(&mut self, id: &str) -> Result<Option<String>, DbError> {
        let Some((_, name)) = self.find_file(id)? else { return Ok(None) };
        Ok(Some(format!("{}/api/storage/{name}", self.host_url())))
    }

    /// A stored file. `None`: it was deleted.
    ///
    /// # Errors
    /// As for [`Transaction::file_url`].
    pub fn stored_file(&mut self, id: &str) -> Result<Option<StoredFile>, DbError> {
        let Some((id, name)) = self.find_file(id)? else { return Ok(None) };
        let Some(json) = self.read_point(keyspace::document_key(&id))? else { return Ok(None) };
        let counted = self.usage.add_read(json.len());
        self.or_poison(counted)?;
        let document = StoredDocument::decode(&json).and_then(|document| document.into_file(id, name));
        document.map(Some).ok_or_else(damaged)
    }

    /// Deletes a stored file. Its URL is good for nothing from the commit on; the bytes go some time later.
    ///
    /// # Errors
    /// `ReadOnly`; `InvalidId`; `NotFound`: it was deleted before; the limits of writes.
    pub fn delete_file(&mut self, text: &str) -> Result<(), DbError> {
        self.writable()?;
        let Some(file) = self.stored_file(text)? else {
            let message = format!("There is no stored file `{text}`; it was deleted, or never was.");
            return Err(DbError::new(ErrorCode::NotFound, message));
        };
        let StoredFile { id, name, size, .. } = file;
        self.delete_system(&id)?;
        self.delete_key(keyspace::file_key(name));
        self.delete_key(keyspace::file_of_document_key(&id));
        self.put_key(keyspace::removed_file_key(self.context.now_ms, name), Bytes::new());
        self.writes.add_to_count(system_tables::STORAGE_BYTES, -size.cast_signed());
        Ok(())
    }

    /// Makes the document of a file that is there.
    pub(crate) fn add_file(&mut self, file: &NewFile) -> Result<DocumentId, DbError> {
        let table = system_tables::of(file.namespace, system_tables::STORAGE);
        let id = self.insert_system(table, &StoredDocument::of(file).encode())?;
        self.put_key(keyspace::file_key(file.name), keyspace::file_place(&id));
        self.put_key(keyspace::file_of_document_key(&id), Bytes::copy_from_slice(file.name.as_bytes()));
        self.writes.add_to_count(system_tables::STORAGE_BYTES, file.size.cast_signed());
        Ok(id)
    }

    /// The document and the name of a file, by the document's id, or by its name, as old versions of Convex have it.
    fn find_file(&mut self, text: &str) -> Result<Option<(DocumentId, Uuid)>, DbError> {
        self.count_host_call()?;
        let table = system_tables::of(self.namespace, system_tables::STORAGE);
        let id = match DocumentId::parse(text) {
            Ok(id) if id.table == table => Some(id),
            Ok(_) => return Err(not_a_file(text)),
            Err(_) => None,
        };
        let by_name = if id.is_none() { Uuid::parse_str(text).ok() } else { None };
        if id.is_none() && by_name.is_none() {
            return Err(not_a_file(text));
        }
        let counted = self.usage.add_range();
        self.or_poison(counted)?;
        let id = match (id, by_name) {
            (None, Some(name)) => {
                let place = self.read_point(keyspace::file_key(name))?;
                place.and_then(|place| keyspace::file_at_place(&place)).filter(|id| id.table == table)
            }
            (id, _) => id,
        };
        let Some(id) = id else { return Ok(None) };
        let name = self.read_point(keyspace::file_of_document_key(&id))?;
        Ok(name.and_then(|name| Uuid::from_slice(&name).ok()).map(|name| (id, name)))
    }

    /// Where clients reach the host; a path alone where nobody has said it, in tests.
    fn host_url(&self) -> String {
        self.shared.built_in_variables.read().get(HOST_URL).cloned().unwrap_or_default()
    }
}

fn not_a_file(text: &str) -> DbError {
    let text: String = text.chars().take(64).collect();
    let message =
        format!("`{text}` is not the id of a stored file: it is what an upload answers, or `store` gives.");
    DbError::new(ErrorCode::InvalidId, message)
}
