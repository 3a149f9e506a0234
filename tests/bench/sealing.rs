//! Sealing and opening: the cipher alone, and the whole way of a picture into the vault and out of it, each against the
//! `age` crate; what a copy of the same bytes costs is told beside it.

use std::io::{self, Read as _, Write as _};

use bytes::Bytes;
use futures_util::StreamExt as _;
use vouchsafe::base::ObjectId;
use vouchsafe::crypto::{Context, Opener, Sealer};
use vouchsafe::imaging::Limits;
use vouchsafe::imaging::sample::{self, Shot};
use vouchsafe::vault::{Access, Actor};

use super::ground::{Ground, Where, noise};
use super::measure::{Board, By, Goal, Outcome, pairs};

const PICTURE: usize = 8 << 20;

pub(crate) fn run(board: &mut Board) -> Outcome {
    let picture = noise(PICTURE);
    let copied = copy(&picture)?;
    let ground = Ground::new(Where::Memory)?;
    if board.wants(&["seal", "seal-and-store"]) {
        sealing(board, &ground, &picture, copied)?;
    }
    if board.wants(&["open", "fetch"]) {
        opening(board, &ground, &picture, copied)?;
    }
    if board.wants(&["upload"]) {
        uploading(board, &ground)?;
    }
    Ok(())
}

/// A whole upload of a phone's photograph: looked at, stripped of what the camera wrote into it, sealed, stored with its rows
/// and its ledger entry. Beside it what cannot be spared: seeing that it is a whole picture, and the cipher.
fn uploading(board: &mut Board, ground: &Ground) -> Outcome {
    let shot = Shot { seed: 1, caption: "a bench's", width: 4000, height: 3000, ..Shot::default() };
    let photograph = Bytes::from(sample::shoot(&shot)?);
    let limits = Limits::default();
    let actor = Actor::Subject(ground.owner.subject);
    let seals = age_encrypts(&photograph);
    let mut stored = Vec::new();
    let both = pairs(
        By::Cpu,
        9,
        || {
            std::hint::black_box(vouchsafe::imaging::inspect(&photograph, &limits)?);
            seals()
        },
        || {
            let taken = ground.app.editing.upload(&ground.owner, &actor, photograph.clone());
            stored.push(ground.run.block_on(taken)?.id);
            Ok(())
        },
    )?;
    let age = pairs(By::Cpu, 9, || Ok(()), seals)?.millis().1;
    let (least, ours) = both.millis();
    let behind = format!(
        "12 megapixels in {} KiB taken in in {ours:.1} ms of CPU; looking at them takes {:.1}, age {age:.1}",
        photograph.len() >> 10,
        least - age
    );
    board.tell("upload", both.cost(), Goal::AtMost(1.25), &behind);
    ground.erase(&stored)
}

/// What it costs to copy the picture once, in milliseconds of CPU.
fn copy(picture: &Bytes) -> Outcome<f64> {
    let mut into = vec![0_u8; picture.len()];
    let both = pairs(
        By::Cpu,
        15,
        || Ok(()),
        || {
            into.copy_from_slice(std::hint::black_box(picture));
            std::hint::black_box(&mut into);
            Ok(())
        },
    )?;
    Ok(both.millis().1)
}

fn sealing(board: &mut Board, ground: &Ground, picture: &Bytes, copied: f64) -> Outcome {
    let theirs = age_encrypts(picture);
    let alone = pairs(By::Cpu, 15, &theirs, || {
        seal_into(picture, |piece| _ = std::hint::black_box(piece)).map(drop)
    })?;
    let (age, ours) = alone.millis();
    let behind = format!("8 MiB sealed in {ours:.2} ms of CPU, age alone {age:.2}, a copy {copied:.2}");
    board.tell("seal", alone.speed(), Goal::AtLeast(1.5), &behind);

    let mut stored = Vec::new();
    let whole = pairs(By::Cpu, 15, &theirs, || {
        stored.push(ground.put(picture)?.id);
        Ok(())
    })?;
    let (age, ours) = whole.millis();
    let behind = format!(
        "8 MiB through the vault, file and rows, in {ours:.2} ms of CPU, age alone {age:.2}, a copy {copied:.2}"
    );
    board.tell("seal-and-store", whole.speed(), Goal::AtLeast(0.8), &behind);
    ground.erase(&stored)
}

fn opening(board: &mut Board, ground: &Ground, picture: &Bytes, copied: f64) -> Outcome {
    let theirs = age_decrypts(picture)?;
    let (context, file, key) = seal(picture)?;
    let alone = pairs(By::Cpu, 15, &theirs, || {
        let n = opened(&file, &context, &key, |plain| _ = std::hint::black_box(plain))?;
        if n == PICTURE { Ok(()) } else { Err("not all of it was opened".into()) }
    })?;
    let (age, ours) = alone.millis();
    let behind = format!("8 MiB opened in {ours:.2} ms of CPU, age alone {age:.2}, a copy {copied:.2}");
    board.tell("open", alone.speed(), Goal::AtLeast(0.9), &behind);

    let stored = ground.put(picture)?.id;
    let whole = pairs(By::Cpu, 15, &theirs, || fetch(ground, stored))?;
    let (age, ours) = whole.millis();
    let behind = format!(
        "8 MiB out of the vault, keys and all, in {ours:.2} ms of CPU, age alone {age:.2}, a copy {copied:.2}"
    );
    board.tell("fetch", whole.speed(), Goal::AtLeast(0.8), &behind);
    ground.erase(&[stored])
}

/// Reads a picture as its owner does.
fn fetch(ground: &Ground, id: ObjectId) -> Outcome {
    let actor = Actor::Subject(ground.owner.subject);
    let access = Access { actor: &actor, purpose: "rights" };
    ground.run.block_on(async {
        let mut open = ground.app.vault.open_object(&ground.owner, &access, id, None).await?;
        let mut seen = 0;
        while let Some(piece) = open.bytes.next().await {
            seen += std::hint::black_box(piece?).len();
        }
        if seen == PICTURE { Ok(()) } else { Err("not all of it was read".into()) }
    })
}

fn seal(picture: &[u8]) -> Outcome<(Context, Vec<u8>, [u8; 16])> {
    let mut file = Vec::with_capacity(picture.len() + (64 << 10));
    let (context, key) = seal_into(picture, |piece| file.extend(piece))?;
    Ok((context, file, key))
}

/// Seals in pieces, as the vault does, and gives each away.
fn seal_into(picture: &[u8], mut give: impl FnMut(Vec<u8>)) -> Outcome<(Context, [u8; 16])> {
    let context = Context {
        tenant: "opusflair".to_owned(),
        subject: "sub_0".to_owned(),
        object: "obj_0".to_owned(),
        kind: "output-image".to_owned(),
        revision: 1,
    };
    let (mut sealer, key) = Sealer::new(&context)?;
    for piece in picture.chunks(256 << 10) {
        give(sealer.push(piece)?);
    }
    give(sealer.finish()?);
    Ok((context, *key))
}

/// Opens a file chunk by chunk, as the vault does, and gives each away.
pub(crate) fn opened(
    file: &[u8],
    context: &Context,
    key: &[u8; 16],
    mut give: impl FnMut(&[u8]),
) -> Outcome<usize> {
    let mut opener = Opener::new(file, context, key)?;
    let mut chunk = Vec::with_capacity(Opener::SEALED);
    let mut left = file.get(opener.body()..).unwrap_or_default();
    let mut all = 0;
    while !left.is_empty() {
        let (sealed, rest) = left.split_at_checked(Opener::SEALED).unwrap_or((left, &[]));
        chunk.clear();
        chunk.extend_from_slice(sealed);
        let n = opener.open(&mut chunk, rest.is_empty())?;
        give(chunk.get(..n).unwrap_or_default());
        (all, left) = (all + n, rest);
    }
    Ok(all)
}

/// The reference: the `age` crate to one X25519 recipient, writing nowhere.
fn age_encrypts(picture: &[u8]) -> impl Fn() -> Outcome {
    let recipient = age::x25519::Identity::generate().to_public();
    move || {
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let mut writer = age::Encryptor::with_recipients(recipients)?.wrap_output(io::sink())?;
        writer.write_all(picture)?;
        writer.finish()?;
        Ok(())
    }
}

/// The same back again.
fn age_decrypts(picture: &[u8]) -> Outcome<impl Fn() -> Outcome> {
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public();
    let mut file = Vec::new();
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let mut writer = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut file)?;
    writer.write_all(picture)?;
    writer.finish()?;
    Ok(move || {
        let opened = age::Decryptor::new(file.as_slice())?;
        let mut plain = opened.decrypt(std::iter::once(&identity as &dyn age::Identity))?;
        let mut piece = vec![0; 64 << 10];
        while plain.read(&mut piece)? > 0 {
            std::hint::black_box(&mut piece);
        }
        Ok(())
    })
}
