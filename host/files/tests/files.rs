//! Files in a folder and in memory: written, read, cut off, swept.
#![allow(missing_docs, clippy::disallowed_methods, reason = "tests, of real files with real times")]

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::io::AsyncReadExt;
use uuid::Uuid;
use weir_files::{Content, Files, FilesError, FilesPlace, Finished};

const NAME: Uuid = Uuid::from_u128(0x0123_4567_89ab_4def_8123_4567_89ab_cdef);

fn in_folder(folder: &Path) -> Files {
    Files::open(&FilesPlace::Folder(folder.to_owned())).unwrap()
}

async fn write(files: &Files, name: Uuid, pieces: &[&[u8]]) -> Finished {
    let mut upload = files.begin(name);
    for piece in pieces {
        upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    upload.finish().await.unwrap()
}

async fn read(files: &Files, name: Uuid, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    match files.read(name, range).await.unwrap() {
        Content::Pieces(pieces) => pieces.try_collect::<Vec<_>>().await.unwrap().concat(),
        Content::File(file, length) => {
            let mut bytes = Vec::new();
            tokio::fs::File::from_std(file).take(length).read_to_end(&mut bytes).await.unwrap();
            bytes
        }
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// After every file that is there.
fn soon() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(10)
}

/// Waits until what tidies up has done so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came: {what}");
}

async fn comes_back(files: &Files) {
    let large: Vec<u8> = (0..9_000_000_u32).map(|n| n as u8 ^ (n >> 9) as u8).collect();
    for content in [&b""[..], b"x", &large[..1 << 18], &large[..(1 << 18) + 1], &large] {
        let halves = content.split_at(content.len() / 3);
        let written = write(files, NAME, &[halves.0, b"", halves.1]).await;
        let expected: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(content).into();
        assert_eq!((written.size, written.sha256), (content.len() as u64, expected));
        assert!(read(files, NAME, None).await == content, "{} bytes", content.len());
    }
    assert_eq!(read(files, NAME, Some(7_000_000..7_000_010)).await, large[7_000_000..7_000_010]);
    assert!(read(files, NAME, Some(5..9_000_000)).await == large[5..]);
    assert!(read(files, NAME, Some(9..9)).await.is_empty());
    files.remove(NAME).await.unwrap();
    files.remove(NAME).await.unwrap();
    assert!(matches!(files.read(NAME, None).await, Err(FilesError::NotFound)));
}

#[tokio::test]
async fn what_is_written_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    comes_back(&in_folder(&folder.path().join("a/files"))).await;
    assert_eq!(names_in(&folder.path().join("a/files")), [""; 0]);
    comes_back(&Files::in_memory()).await;
}

#[tokio::test]
async fn an_upload_that_is_cut_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = in_folder(folder.path());
    let mut upload = files.begin(NAME);
    upload.write(Bytes::from(vec![7; 1 << 20])).await.unwrap();
    assert_eq!(names_in(folder.path()).len(), 1, "the half file");
    drop(upload);
    until("the half file is removed", || names_in(folder.path()).is_empty()).await;

    // The process ends meanwhile: the next start removes it, and nothing else.
    let mut upload = files.begin(NAME);
    upload.write(Bytes::from(vec![7; 1 << 20])).await.unwrap();
    std::mem::forget(upload);
    std::fs::write(folder.path().join("notes#1"), "not ours").unwrap();
    assert_eq!(names_in(folder.path()).len(), 2);
    in_folder(folder.path());
    assert_eq!(names_in(folder.path()), ["notes#1"]);
}

#[tokio::test]
async fn files_without_documents_are_swept_but_those_on_their_way() {
    let folder = tempfile::tempdir().unwrap();
    let files = in_folder(folder.path());
    files.claim("host").await.unwrap();
    let names: Vec<Uuid> = (1..=600).map(Uuid::from_u128).collect();
    let mut on_its_way = None;
    for name in &names {
        on_its_way = Some(write(&files, *name, &[b"x"]).await);
    }
    let is_wanted = |names: Vec<Uuid>| async move {
        Ok::<_, FilesError>(names.iter().map(|name| name.as_u128() % 2 == 0).collect())
    };
    assert_eq!(files.sweep(Duration::ZERO, is_wanted).await.unwrap(), 0, "all are young");
    assert_eq!(files.sweep(soon(), is_wanted).await.unwrap(), 300);
    assert_eq!(names_in(folder.path()).len(), 301, "half of the files, and the owner");
    assert_eq!(read(&files, names[599], None).await, b"x");
    let nobody = |names: Vec<Uuid>| async move { Ok::<_, FilesError>(vec![false; names.len()]) };
    assert_eq!(files.sweep(soon(), nobody).await.unwrap(), 299, "one is on its way");
    drop(on_its_way);
    assert_eq!(files.sweep(soon(), nobody).await.unwrap(), 1);
    files.claim("host").await.unwrap();
    let failing = |_| async { Err::<Vec<bool>, _>(FilesError::Full) };
    write(&files, NAME, &[b"x"]).await.discard().await;
    assert!(matches!(files.sweep(soon(), failing).await, Ok(0) | Err(FilesError::Full)));
    assert_eq!(names_in(folder.path()), ["owner"]);
}

#[tokio::test]
async fn two_hosts_do_not_share_a_place() {
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path()).claim("first").await.unwrap();
    in_folder(folder.path()).claim("first").await.unwrap();
    let refused = in_folder(folder.path()).claim("second").await.unwrap_err();
    assert!(matches!(refused, FilesError::OfAnother { .. }));
    assert!(refused.to_string().contains(folder.path().to_str().unwrap()), "{refused}");
}

#[tokio::test]
async fn a_place_that_cannot_be_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Files::open(&FilesPlace::Folder(file)).err().unwrap();
    assert!(error.to_string().contains("file"), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = in_folder(folder.path());
    // Its place is taken by a folder, which no file replaces.
    let taken = folder.path().join(NAME.simple().to_string());
    std::fs::create_dir(&taken).unwrap();
    std::fs::write(taken.join("full"), "").unwrap();
    for size in [1, 1 << 20] {
        let mut upload = files.begin(NAME);
        upload.write(Bytes::from(vec![7; size])).await.unwrap();
        assert!(upload.finish().await.is_err());
    }
    let nobody = |names: Vec<Uuid>| async move { Ok::<_, FilesError>(vec![false; names.len()]) };
    files.sweep(soon(), nobody).await.unwrap();
    assert_eq!(names_in(folder.path()).len(), 1, "the folder alone");
}
