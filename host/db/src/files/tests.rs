use std::time::Duration;

use serde_json::json;
use weir_store::Env;
use weir_value::limits::{FILE_REMOVED_AFTER_MS, UPLOAD_URL_MS};

use super::*;
use crate::testing::{World, parse};
use crate::{Database, FunctionKind, Transaction, keyspace};

fn world() -> World {
    let world = World::new();
    let url = ("CONVEX_CLOUD_URL".to_owned(), "https://app.example.com".to_owned());
    world.db.set_built_in_variables([url].into());
    world
}

fn new_file(db: &Database, size: u64) -> NewFile {
    let content_type = Some("image/png".to_owned());
    NewFile {
        name: db.new_file_name(),
        sha256: [0xab; 32],
        size,
        content_type,
        namespace: crate::Namespace::APP,
    }
}

/// Stores a file, and waits until that is durable.
fn store(world: &World, size: u64) -> (DocumentId, Uuid) {
    let file = new_file(&world.db, size);
    let (id, ts) = world.db.store_file(&file, None, &FileLimits::default()).unwrap();
    world.db.store().wait_durable(ts).unwrap();
    world.env.advance(Duration::from_millis(1));
    (id, file.name)
}

fn durable(world: &World) {
    world.db.store().wait_durable(world.db.store().sequenced()).unwrap();
}

fn now_ms(world: &World) -> f64 {
    world.env.now().since_epoch().as_secs_f64() * 1e3
}

fn upload_token(world: &World) -> String {
    let url = world.write(Transaction::generate_upload_url);
    url.strip_prefix("https://app.example.com/api/storage/upload?token=").unwrap().to_owned()
}

fn refused(error: FileError) -> ErrorCode {
    match error {
        FileError::Refused(error) => error.code,
        FileError::Commit(error) => panic!("{error}"),
    }
}

#[test]
fn a_stored_file_is_a_document_and_a_url_that_nobody_guesses() {
    let world = world();
    let (id, name) = store(&world, 5);
    let id = id.to_string();
    let mut tx = world.begin(FunctionKind::Query);
    let document = parse(&tx.get(Some("_storage"), &id).unwrap().unwrap());
    assert_eq!(
        document,
        json!({
            "_id": id, "_creationTime": document["_creationTime"],
            "sha256": "ab".repeat(32), "size": 5, "contentType": "image/png",
        })
    );
    assert!(!document.to_string().contains(&name.to_string()), "the document tells its URL");
    let url = format!("https://app.example.com/api/storage/{name}");
    assert_eq!(tx.file_url(&id).unwrap(), Some(url.clone()));
    assert_eq!(tx.file_url(&name.to_string()).unwrap(), Some(url), "as old versions of Convex name it");
    let file = tx.stored_file(&id).unwrap().unwrap();
    assert_eq!(
        file.metadata_json(),
        json!({
            "storageId": name.to_string(), "sha256": "ab".repeat(32), "size": 5, "contentType": "image/png",
        })
    );
    assert_eq!(world.db.file_named(name).unwrap(), Some(file));
    assert_eq!(world.db.file_named(Uuid::from_u128(7)).unwrap(), None);
    world.assert_sound();
}

#[test]
fn what_is_no_id_of_a_file_is_said() {
    let world = world();
    let message = world.write(|tx| tx.insert("messages", b"{}"));
    let mut tx = world.tx();
    for wrong in ["", "x", message.as_str(), "zzzzzzzz-0000-4000-8000-000000000000"] {
        assert_eq!(tx.file_url(wrong).unwrap_err().code, ErrorCode::InvalidId, "{wrong}");
        assert_eq!(tx.stored_file(wrong).unwrap_err().code, ErrorCode::InvalidId, "{wrong}");
        assert_eq!(tx.delete_file(wrong).unwrap_err().code, ErrorCode::InvalidId, "{wrong}");
    }
    assert_eq!(tx.file_url("00000000-0000-4000-8000-000000000000").unwrap(), None);
}

#[test]
fn queries_write_nothing() {
    let world = world();
    let (id, _) = store(&world, 5);
    let mut tx = world.begin(FunctionKind::Query);
    assert_eq!(tx.generate_upload_url().unwrap_err().code, ErrorCode::ReadOnly);
    assert_eq!(tx.delete_file(&id.to_string()).unwrap_err().code, ErrorCode::ReadOnly);
    assert!(tx.insert("_storage", b"{}").is_err(), "a document without a file");
}

#[test]
fn a_deleted_file_is_gone_at_once_and_its_bytes_later() {
    let world = world();
    let ((id, name), (other, _)) = (store(&world, 5), store(&world, 7));
    let id = id.to_string();
    let mut watching = world.begin(FunctionKind::Query);
    assert!(watching.file_url(&id).unwrap().is_some());
    let deleted_at = now_ms(&world);
    world.write(|tx| tx.delete_file(&id));
    durable(&world);
    let watching = watching.reads().to_read_set();
    let gone = keyspace::file_of_document_key(&DocumentId::parse(&id).unwrap());
    assert!(watching.points().contains(&gone), "whoever has asked for the URL is told");
    let mut tx = world.tx();
    assert_eq!(tx.file_url(&id).unwrap(), None);
    assert_eq!(tx.stored_file(&id).unwrap(), None);
    assert_eq!(tx.delete_file(&id).unwrap_err().code, ErrorCode::NotFound);
    assert!(tx.file_url(&other.to_string()).unwrap().is_some());
    assert_eq!(world.db.file_named(name).unwrap(), None);
    let never = world.db.new_file_name();
    assert_eq!(world.db.are_files_wanted(&[name, never]).unwrap(), [true, false], "it has time left");
    world.assert_sound();

    let removals = |at_ms: f64| world.db.removed_files(at_ms).unwrap().files;
    assert_eq!(removals(deleted_at + FILE_REMOVED_AFTER_MS - 1.0), []);
    let removed = removals(deleted_at + FILE_REMOVED_AFTER_MS + 1.0);
    assert_eq!(removed.iter().map(|file| file.name).collect::<Vec<_>>(), [name]);
    world.db.forget_removed_files(&removed).unwrap();
    durable(&world);
    assert_eq!(removals(f64::INFINITY), []);
    assert_eq!(world.db.are_files_wanted(&[name]).unwrap(), [false]);
    world.assert_sound();
}

#[test]
fn a_deletion_that_is_undone_removes_nothing() {
    let world = world();
    let (id, _) = store(&world, 5);
    world.write(|tx| {
        let sub = tx.begin_sub();
        tx.delete_file(&id.to_string())?;
        assert_eq!(tx.file_url(&id.to_string())?, None);
        tx.rollback_sub(sub);
        assert!(tx.file_url(&id.to_string())?.is_some());
        Ok(())
    });
    durable(&world);
    assert_eq!(world.db.removed_files(f64::INFINITY).unwrap().files, []);
    world.assert_sound();
}

#[test]
fn an_upload_url_is_good_once_and_for_an_hour() {
    let world = world();
    let limits = FileLimits::default();
    let text = upload_token(&world);
    let token = UploadToken::parse(&text).unwrap();
    world.db.check_upload(&token, 5, &limits).unwrap();
    world.db.store_file(&new_file(&world.db, 5), Some(&token), &limits).unwrap();
    let again = world.db.store_file(&new_file(&world.db, 5), Some(&token), &limits).unwrap_err();
    assert_eq!(refused(again), ErrorCode::UploadTokenUsed);
    assert_eq!(refused(world.db.check_upload(&token, 5, &limits).unwrap_err()), ErrorCode::UploadTokenUsed);

    let late = UploadToken::parse(&upload_token(&world)).unwrap();
    world.env.advance(Duration::from_millis(UPLOAD_URL_MS as u64 - 10));
    world.db.check_upload(&late, 5, &limits).unwrap();
    world.env.advance(Duration::from_millis(20));
    assert_eq!(refused(world.db.check_upload(&late, 5, &limits).unwrap_err()), ErrorCode::UploadTokenExpired);
    let expired = world.db.store_file(&new_file(&world.db, 5), Some(&late), &limits).unwrap_err();
    assert_eq!(refused(expired), ErrorCode::UploadTokenExpired);

    let young = upload_token(&world);
    let forged = format!("{}{}", &young[..16], "0".repeat(48));
    let forged = UploadToken::parse(&forged).unwrap();
    assert_eq!(
        refused(world.db.check_upload(&forged, 5, &limits).unwrap_err()),
        ErrorCode::InvalidUploadToken
    );
    for wrong in ["", "x", &young[1..], "é".repeat(32).as_str()] {
        assert_eq!(UploadToken::parse(wrong).unwrap_err().code, ErrorCode::InvalidUploadToken, "{wrong}");
    }

    durable(&world);
    assert!(!world.db.sweep_upload_tokens(now_ms(&world) + 3.0 * UPLOAD_URL_MS).unwrap());
    durable(&world);
    let snapshot = world.db.store().snapshot_sequenced();
    assert_eq!(snapshot.get(&token.key()).unwrap(), None);
    world.assert_sound();
}

#[test]
fn there_are_limits_of_size_and_number() {
    let world = world();
    let limits = FileLimits { file_bytes: 10, total_bytes: 15, files: 3 };
    let store = |size| {
        let file = new_file(&world.db, size);
        let stored = world.db.store_file(&file, None, &limits);
        world.env.advance(Duration::from_millis(1));
        stored.map(|(id, _)| id.to_string())
    };
    assert_eq!(refused(store(11).unwrap_err()), ErrorCode::FileTooLarge);
    let first = store(10).unwrap();
    assert_eq!(refused(store(6).unwrap_err()), ErrorCode::StorageFull);
    store(5).unwrap();
    store(0).unwrap();
    assert_eq!(refused(store(0).unwrap_err()), ErrorCode::TooManyFiles);
    let token = UploadToken::parse(&upload_token(&world)).unwrap();
    assert_eq!(refused(world.db.check_upload(&token, 0, &limits).unwrap_err()), ErrorCode::TooManyFiles);
    world.write(|tx| tx.delete_file(&first));
    world.db.check_upload(&token, 10, &limits).unwrap();
    assert_eq!(refused(world.db.check_upload(&token, 11, &limits).unwrap_err()), ErrorCode::FileTooLarge);
    store(10).unwrap();
    world.assert_sound();
}

#[test]
fn what_cannot_be_a_type_or_a_checksum_is_refused() {
    let world = world();
    for wrong in ["", "text/\nplain", "text/é", &"x".repeat(256)] {
        let file = NewFile { content_type: Some(wrong.to_owned()), ..new_file(&world.db, 1) };
        let error = world.db.store_file(&file, None, &FileLimits::default()).unwrap_err();
        assert_eq!(refused(error), ErrorCode::InvalidContentType, "{wrong:?}");
    }
    let bytes: [u8; 32] = std::array::from_fn(|n| n as u8);
    assert_eq!(parse_sha256(&hex(&bytes)).unwrap(), bytes);
    assert_eq!(parse_sha256("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap(), bytes);
    for wrong in ["", "00", "AAECAwQFBgc=", &"g".repeat(64), "é"] {
        assert_eq!(parse_sha256(wrong).unwrap_err().code, ErrorCode::InvalidDigest, "{wrong}");
    }
}

#[test]
fn a_check_finds_what_does_not_agree() {
    let world = world();
    let (id, name) = store(&world, 5);
    let put = |key: bytes::Bytes, value: Option<&'static [u8]>| {
        let write = weir_store::Write { key, value: value.map(bytes::Bytes::from_static) };
        world.db.committer.enter().sequence_plain(vec![write]).unwrap();
    };
    let told = || crate::check(&world.db.store().snapshot_sequenced()).unwrap().problems.join("\n");
    put(keyspace::removed_file_key(1.0, name), Some(b""));
    assert!(told().contains("is to be removed"), "{}", told());
    put(keyspace::file_key(name), None);
    assert!(told().contains("does not agree with its document"), "{}", told());
    assert!(told().contains("0 stored files have names, and 1 documents have files"), "{}", told());
    put(keyspace::table_count_key(crate::system_tables::STORAGE_BYTES), Some(&[0, 0, 0, 0, 0, 0, 0, 9]));
    assert!(told().contains("count 9 bytes and have 5"), "{}", told());
    put(keyspace::document_key(&id), Some(b"{}"));
    assert!(told().contains("cannot be read"), "{}", told());
}
