//! The archive to take home: its CPU against what decrypting, a CRC and a copy cost at least, and against Info-ZIP, which
//! stores pictures that nobody encrypted.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use vouchsafe::archive::{
    Body, Contents, Controller, File as Entry, Head, Layout, Plaintext, Signer, Source, Stored,
};
use vouchsafe::base::{ObjectId, Secret, Timestamp};
use vouchsafe::crypto::{Context, Sealer};
use vouchsafe::vault::{Access, Actor, Owner, StoredObject, Vault};

use super::ground::{Ground, Where, folder, noise};
use super::measure::{Board, By, Goal, Outcome, Pairs, cost, pairs};
use super::sealing::opened;

const COUNT: usize = 40;
const PICTURE: usize = 5 << 20;

pub(crate) fn run(board: &mut Board) -> Outcome {
    let picture = noise(PICTURE);
    let ground = Ground::new(Where::Memory)?;
    let layout = layout(&ground, &picture)?;
    let source: Arc<dyn Source> =
        Arc::new(FromVault { vault: ground.app.vault.clone(), owner: ground.owner.clone() });
    let export = || ground.run.block_on(drain(&layout, Arc::clone(&source)));
    if board.wants(&["export-sink"]) {
        let home = folder(Where::Memory)?;
        let sealed = sealed_files(home.path(), &picture)?;
        let both = pairs(By::Cpu, 7, || limit(&sealed), export)?;
        let (limit, ours) = both.millis();
        let behind = format!("{COUNT} pictures of 5 MiB in {ours:.0} ms of CPU, the limit {limit:.0} ms");
        board.tell("export-sink", both.speed(), Goal::AtLeast(0.9), &behind);
    }
    if board.wants(&["export-against-zip"]) {
        against_zip(board, &picture, export)?;
    }
    Ok(())
}

/// The vault as requests read it for an archive.
struct FromVault {
    vault: Vault,
    owner: Owner,
}

impl Source for FromVault {
    fn open(&self, object: ObjectId) -> BoxFuture<'static, io::Result<Plaintext>> {
        let (vault, owner) = (self.vault.clone(), self.owner.clone());
        async move {
            let actor = Actor::Subject(owner.subject);
            let access = Access { actor: &actor, purpose: "rights" };
            let open = vault.open_object(&owner, &access, object, None).await.map_err(io::Error::other)?;
            Ok(open.bytes.map_err(io::Error::other).boxed())
        }
        .boxed()
    }

    fn authenticates(&self) -> bool {
        true
    }
}

fn layout(ground: &Ground, picture: &Bytes) -> Outcome<Layout> {
    let files: Vec<_> = (0..COUNT).map(|n| Ok(entry(n, &ground.put(picture)?))).collect::<Outcome<_>>()?;
    let signer = Signer::new("bench/take-home", &Secret::new([7; 32]))?;
    let head = Head {
        tenant: ground.owner.tenant.clone(),
        controller: Controller {
            name: "The controller".to_owned(),
            address: String::new(),
            contact: "privacy@example.org".to_owned(),
        },
        made_at: Timestamp::from_micros(1_777_000_000_000_000),
        reference: "00000-00000".to_owned(),
        subject_pseudonym: "0".to_owned(),
        policy_version: "1".to_owned(),
        key_at: signer.published_at(),
    };
    Ok(Layout::new(Contents { head, files }, &signer)?)
}

fn entry(n: usize, object: &StoredObject) -> Entry {
    let mut sha256 = [0; 32];
    // A hash that is none would only make the archive fail, which is seen.
    let _ = hex::decode_to_slice(&object.meta.sha256, &mut sha256);
    let (len, crc32) = (object.meta.len, object.meta.crc32);
    Entry {
        path: format!("images/{n}.jpg"),
        title: "A picture".to_owned(),
        media_type: "image/jpeg".to_owned(),
        facts: None,
        original_name: None,
        body: Body::Stored(Stored { object: object.id, len, crc32, sha256 }),
    }
}

/// The archive into a buffer that is written over and over.
async fn drain(layout: &Layout, source: Arc<dyn Source>) -> Outcome {
    let mut sink = Sink::default();
    let mut stream = std::pin::pin!(layout.stream(0..layout.len(), source)?);
    while let Some(piece) = stream.try_next().await? {
        sink.take(&piece);
    }
    if sink.seen == layout.len() { Ok(()) } else { Err("the archive is not as long as it said".into()) }
}

#[derive(Default)]
struct Sink {
    buffer: Vec<u8>,
    seen: u64,
}

impl Sink {
    fn take(&mut self, piece: &[u8]) {
        if self.buffer.len() > 256 << 10 {
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(piece);
        self.seen += piece.len() as u64;
        black_box(&self.buffer);
    }
}

type SealedFile = (File, Context, [u8; 16]);

fn sealed_files(home: &Path, picture: &[u8]) -> Outcome<Vec<SealedFile>> {
    let one = |n: usize| {
        let context = Context {
            tenant: "opusflair".to_owned(),
            subject: "sub_0".to_owned(),
            object: format!("obj_{n}"),
            kind: "output-image".to_owned(),
            revision: 1,
        };
        let (mut sealer, key) = Sealer::new(&context)?;
        let mut sealed = sealer.push(picture)?;
        sealed.extend(sealer.finish()?);
        let path = home.join(n.to_string());
        std::fs::write(&path, sealed)?;
        Ok((File::open(path)?, context, *key))
    };
    (0..COUNT).map(one).collect()
}

/// The least that an export can do: read each file, decrypt it, take its CRC-32, copy it out.
fn limit(sealed: &[SealedFile]) -> Outcome {
    let mut sink = Sink::default();
    let mut bytes = Vec::new();
    for (file, context, key) in sealed {
        let mut file = file;
        io::Seek::rewind(&mut file)?;
        bytes.clear();
        file.read_to_end(&mut bytes)?;
        let mut crc = crc32fast::Hasher::new();
        opened(&bytes, context, key, |plain| {
            crc.update(plain);
            sink.take(plain);
        })?;
        black_box(crc.finalize());
    }
    Ok(())
}

fn against_zip(board: &mut Board, picture: &[u8], export: impl Fn() -> Outcome) -> Outcome {
    const NAME: &str = "export-against-zip";
    if Command::new("zip").arg("-v").stdout(Stdio::null()).status().is_err() {
        Board::skip(NAME, "Info-ZIP's `zip` is not installed");
        return Ok(());
    }
    let home = folder(Where::Memory)?;
    for n in 0..COUNT {
        std::fs::write(home.path().join(format!("{n}.jpg")), picture)?;
    }
    export()?;
    let mut costs = Vec::new();
    for _ in 0..3 {
        costs.push((zip(home.path())?, cost(By::Cpu, &export)?));
    }
    let both = Pairs::of(costs);
    let (theirs, ours) = both.millis();
    let behind =
        format!("{COUNT} pictures of 5 MiB in {ours:.0} ms of CPU, `zip -0` of plaintext {theirs:.0} ms");
    board.tell(NAME, both.cost(), Goal::AtMost(0.6), &behind);
    Ok(())
}

/// Stores the files of a folder with Info-ZIP, into nothing. Gives the CPU time of that process.
fn zip(home: &Path) -> Outcome<Duration> {
    let before = of_children()?;
    let mut zip = Command::new("zip");
    let done = zip.args(["-q", "-0", "-r", "-", "."]).current_dir(home).stdout(Stdio::null()).status()?;
    if !done.success() {
        return Err("zip failed".into());
    }
    Ok(of_children()?.saturating_sub(before))
}

/// The CPU time of child processes that have ended, to a hundredth of a second (Linux: `man 5 proc`, cutime and cstime).
fn of_children() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Past the name, which is in brackets and may hold spaces, they are the 14th and 15th field.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(13).take(2));
    let ticks: u64 = fields.into_iter().flatten().filter_map(|f| f.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}
