//! Sealing: the cipher alone, and the whole way of a picture into the vault, each against the `age` crate.

use std::io::{self, Write as _};

use vouchsafe::crypto::{Context, Sealer};

use super::ground::{Ground, Where, noise};
use super::measure::{Board, By, Goal, Outcome, pairs};

const PICTURE: usize = 8 << 20;

pub(crate) fn run(board: &mut Board) -> Outcome {
    let picture = noise(PICTURE);
    let theirs = age_encrypts(&picture);
    let alone = pairs(By::Cpu, 15, &theirs, || seal(&picture))?;
    let (age, ours) = alone.millis();
    let behind = format!("8 MiB sealed in {ours:.2} ms of CPU, age alone {age:.2}");
    board.tell("seal", alone.speed(), Goal::AtLeast(1.5), &behind);

    let ground = Ground::new(Where::Memory)?;
    let mut stored = Vec::new();
    let whole = pairs(By::Cpu, 15, &theirs, || {
        stored.push(ground.put(&picture)?.id);
        Ok(())
    })?;
    let (age, ours) = whole.millis();
    let behind =
        format!("8 MiB through the vault, file and rows, in {ours:.2} ms of CPU, age alone {age:.2}");
    board.tell("seal-and-store", whole.speed(), Goal::AtLeast(0.8), &behind);
    ground.erase(&stored)
}

fn seal(picture: &[u8]) -> Outcome {
    let context = Context {
        tenant: "opusflair".to_owned(),
        subject: "sub_0".to_owned(),
        object: "obj_0".to_owned(),
        kind: "output-image".to_owned(),
        revision: 1,
    };
    let (mut sealer, _key) = Sealer::new(&context)?;
    for piece in picture.chunks(256 << 10) {
        std::hint::black_box(sealer.push(piece)?);
    }
    std::hint::black_box(sealer.finish()?);
    Ok(())
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
