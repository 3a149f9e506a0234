//! The figures: one line each, `bench NAME ratio=… goal=… ok|short`. A figure is a ratio of two ways to do the same work,
//! timed in turns within one run, so that it says the same on a slow machine and on a busy one. Nothing here fails a build.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use vouchsafe::crypto::{Context, Sealer};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// How many pairs are timed; the middle ratio counts.
const PAIRS: usize = 9;

fn main() -> Outcome {
    seal_against_age()
}

/// Sealing a picture of 8 MiB as it is stored, against the `age` crate alone writing into memory.
fn seal_against_age() -> Outcome {
    let picture: Vec<u8> = (0..8_u32 << 20).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let context = Context {
        tenant: "flux-kontext".to_owned(),
        subject: "sub_0".to_owned(),
        object: "obj_0".to_owned(),
        kind: "input-image".to_owned(),
        revision: 1,
    };
    let ours = || -> Outcome {
        let (mut sealer, _key) = Sealer::new(&context)?;
        for piece in picture.chunks(64 << 10) {
            sealer.push(piece)?;
        }
        sealer.finish()?;
        Ok(())
    };
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public();
    let theirs = || -> Outcome {
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))?;
        let mut writer = encryptor.wrap_output(io::sink())?;
        writer.write_all(&picture)?;
        writer.finish()?;
        Ok(())
    };
    figure("seal-against-age", 0.8, theirs, ours)
}

/// Times `reference` and `ours` in turns: the ratio is how fast ours is beside it, so more is better.
fn figure(name: &str, goal: f64, reference: impl Fn() -> Outcome, ours: impl Fn() -> Outcome) -> Outcome {
    reference()?;
    ours()?;
    let mut ratios = Vec::with_capacity(PAIRS);
    for _ in 0..PAIRS {
        ratios.push(timed(&reference)?.as_secs_f64() / timed(&ours)?.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios.get(PAIRS / 2).copied().unwrap_or(0.0);
    let verdict = if ratio >= goal { "ok" } else { "short" };
    writeln!(io::stdout(), "bench {name} ratio={ratio:.2} goal={goal:.2} {verdict}")?;
    Ok(())
}

fn timed(work: impl Fn() -> Outcome) -> Result<Duration, Box<dyn std::error::Error>> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}
