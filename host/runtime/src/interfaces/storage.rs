//! `weir:guest/storage`: stored files.
use super::tasks::Answer;
use crate::bindings::weir::guest::storage::Host;
use crate::call_state::CallState;

impl Host for CallState {
    fn generate_upload_url(&mut self) -> Answer<String> {
        self.ask(|tx| tx.generate_upload_url())
    }

    fn get_url(&mut self, id: String) -> Answer<Option<String>> {
        self.ask_anywhere(|tx| tx.file_url(&id))
    }

    fn get_metadata(&mut self, id: String) -> Answer<Option<Vec<u8>>> {
        self.ask_anywhere(|tx| {
            Ok(tx.stored_file(&id)?.map(|file| file.metadata_json().to_string().into_bytes()))
        })
    }

    fn delete(&mut self, id: String) -> Answer<()> {
        self.ask(|tx| tx.delete_file(&id))
    }

    fn store(&mut self, options: Vec<u8>, body: Option<Vec<u8>>) -> Answer<u32> {
        self.in_action("storing a file", |action| action.store_file(&options, body))
    }

    fn get(&mut self, id: String) -> Answer<u32> {
        self.in_action("reading a file", |action| action.read_file(&id))
    }
}
