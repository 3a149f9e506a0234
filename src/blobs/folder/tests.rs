use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;

use super::write::Incoming;
use super::*;
use crate::base::Entropy;
use crate::blobs::Blobs;

fn folder() -> (TempDir, Folder) {
    let dir = TempDir::new().unwrap();
    let folder = Folder::open(FolderSettings::new(dir.path().join("blobs"))).unwrap();
    (dir, folder)
}

fn body(bytes: &'static [u8]) -> Source<'static> {
    stream::iter([Ok(Bytes::from_static(bytes))]).boxed()
}

fn left_in(dir: &Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

#[test]
fn bytes_are_on_the_disk_before_their_name_and_the_name_before_the_answer() {
    let (_dir, folder) = folder();
    let key = BlobKey::new(&Entropy::seeded(1));
    let mut file = Incoming::begin(&folder, &key).unwrap();
    disk::trace::take();
    file.write(&folder, &[Bytes::from_static(b"cipher"), Bytes::from_static(b"text")]).unwrap();
    assert!(!folder.place(&key).exists(), "no name before it is whole");
    let put = file.land(&folder.place(&key), true).unwrap();
    assert_eq!(disk::trace::take(), ["write", "sync file", "rename", "sync folder"]);
    assert_eq!(put, 10);
    assert_eq!(std::fs::read(folder.place(&key)).unwrap(), b"ciphertext");
    assert_eq!(left_in(&folder.incoming()), 0);

    delete::remove(&folder, vec![key]);
    assert_eq!(disk::trace::take(), ["unlink", "sync folder"], "a deletion survives a power cut too");
}

#[test]
fn a_name_that_is_taken_is_never_overwritten() {
    let (_dir, folder) = folder();
    let key = BlobKey::new(&Entropy::seeded(2));
    let mut late = Incoming::begin(&folder, &key).unwrap();
    late.write(&folder, &[Bytes::from_static(b"late")]).unwrap();
    std::fs::write(folder.place(&key), b"first").unwrap();
    assert!(matches!(late.land(&folder.place(&key), true), Err(Error::Exists)));
    assert_eq!(std::fs::read(folder.place(&key)).unwrap(), b"first");
    assert_eq!(left_in(&folder.incoming()), 0, "the loser leaves nothing");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room_says_so_and_keeps_nothing() {
    // /dev/full answers every write with ENOSPC, as a full disk does.
    let (_dir, folder) = folder();
    let path = folder.incoming().join("upload");
    std::fs::write(&path, b"").unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let named = tempfile::TempPath::try_from_path(path).unwrap();
    let mut file = Incoming::into_file(tempfile::NamedTempFile::from_parts(full, named));
    let failed = file.write(&folder, &[Bytes::from_static(b"x")]);
    assert!(matches!(failed, Err(Error::Full)), "{failed:?}");
    drop(file);
    assert_eq!(left_in(&folder.incoming()), 0);
}

#[tokio::test]
async fn the_reserve_of_the_disk_is_kept_free() {
    let dir = TempDir::new().unwrap();
    let settings = FolderSettings { keep_free: u64::MAX, ..FolderSettings::new(dir.path()) };
    let folder = Folder::open(settings).unwrap();
    let key = BlobKey::new(&Entropy::seeded(3));
    assert!(matches!(folder.put(&key, body(b"x")).await, Err(Error::Full)));
    assert_eq!(left_in(&folder.incoming()), 0);
    let room = folder.check().await.unwrap().into_iter().find(|f| f.about == "room").unwrap();
    assert_eq!(room.level, Level::Warning);
}

#[tokio::test]
async fn a_folder_that_others_can_enter_is_reported() {
    let (_dir, folder) = folder();
    let mode = |f: Vec<Finding>| f.into_iter().find(|f| f.about == "mode").unwrap().level;
    assert_eq!(mode(folder.check().await.unwrap()), Level::Good, "made 0700");
    std::fs::set_permissions(&folder.root, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(mode(folder.check().await.unwrap()), Level::Error);
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept_and_what_is_under_way_is_not() {
    let (_dir, folder) = folder();
    std::fs::write(folder.incoming().join("left"), b"x").unwrap();
    let now = timestamp(SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(1)).unwrap());
    assert_eq!(folder.abort_stale(now).await.unwrap(), 0, "younger than the limit");
    assert_eq!(folder.abort_stale(Timestamp::from_micros(i64::MAX)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_strangers_file_is_neither_listed_nor_a_blob() {
    let (_dir, folder) = folder();
    let key = BlobKey::new(&Entropy::seeded(4));
    folder.put(&key, body(b"x")).await.unwrap();
    std::fs::write(folder.shard(key.shard()).join("notes.txt"), b"hello").unwrap();
    let listed: Vec<Listed> = Blobs::Folder(folder).list(KeyPrefix::all(), None).try_collect().await.unwrap();
    assert_eq!(listed.iter().map(|row| row.key).collect::<Vec<_>>(), [key]);
}

#[tokio::test]
async fn what_a_killed_process_left_of_a_blob_goes_by_its_name() {
    let (_dir, folder) = folder();
    let keys = [BlobKey::new(&Entropy::seeded(5)), BlobKey::new(&Entropy::seeded(6))];
    for key in &keys {
        std::fs::write(folder.incoming().join(key.to_string()), b"half").unwrap();
    }
    assert_eq!(folder.uploads_of(&keys[..1]).await.unwrap(), 1);
    assert_eq!(folder.end_uploads(&keys[..1]).await.unwrap(), 1);
    assert_eq!(folder.uploads_of(&keys).await.unwrap(), 1, "another's is left");
    assert_eq!(left_in(&folder.incoming()), 1);
    assert_eq!(folder.end_uploads(&[]).await.unwrap(), 0);
}

#[tokio::test]
async fn an_upload_that_was_ended_does_not_land() {
    let (_dir, folder) = folder();
    let key = BlobKey::new(&Entropy::seeded(7));
    let mut file = Incoming::begin(&folder, &key).unwrap();
    file.write(&folder, &[Bytes::from_static(b"half")]).unwrap();
    assert_eq!(folder.end_uploads(&[key]).await.unwrap(), 1);
    assert!(file.land(&folder.place(&key), true).is_err());
    assert!(!folder.place(&key).exists());
}
