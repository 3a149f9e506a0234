use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::claims::Claims;
use super::look::{self, Reach};
use super::town::Town;
use crate::backup::{self, What};
use crate::base::Entropy;
use crate::cli::Say;
use crate::cli::say::{count, number, size};
use crate::ledger;

const EPOCH_PASSED: &str = "a copy of the keystore whose epoch has passed is refused";
const SHUTS: &str = "a service that finds a backup put back is shut";

const CLAIMS: [&str; 12] = [
    SHUTS,
    look::SHUT,
    look::UNSIGNED,
    look::INCOMPLETE,
    look::OPEN,
    look::GONE,
    look::DEAD,
    look::TRACES,
    look::CLEAR,
    look::SAME,
    look::WORDS,
    look::LOG,
];

/// How the drill goes.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Options {
    /// Rounds, each on an installation of its own
    #[arg(long, default_value_t = 3, value_name = "N")]
    rounds: u64,
    /// What chance begins with; the same seed makes the same things happen in the same order
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Keep the installations and their backups in this new folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Open the restored service at once, without doing again what happened since: to see that this then fails
    #[arg(long)]
    without_the_replay: bool,
}

/// What came of a round.
struct Round {
    seed: u64,
    happened: usize,
    erased: usize,
    back: String,
    blobs: u64,
    bytes: u64,
    took: Duration,
}

/// Runs the drill. Whether everything held.
pub(super) async fn run(options: &Options, say: &mut Say) -> anyhow::Result<bool> {
    let home = Home::of(options.keep.as_deref())?;
    let first = options.seed.unwrap_or_else(|| u64::from(u32::from_be_bytes(Entropy::system().bytes())));
    say.title("vouchsafe drill restore");
    say.prose(
        "Throw-away installations, invented people, a clock of their own. People come, store pictures, change their minds \
         and are erased; backups are taken beside the service; then the disk is lost and an old backup is put back.",
    );
    say.gap();
    say.row("seed", first.to_string());
    let mut claims = Claims::of(&CLAIMS);
    let mut rounds = Vec::new();
    for seed in (first..).take(usize::try_from(options.rounds.max(1))?) {
        let folder = home.path().join(format!("round-{seed}"));
        // What the service says to its log is of no interest here, and would stand between the rows.
        let round = Box::pin(round(&folder, (seed, seed == first), options, &mut claims))
            .with_subscriber(NoSubscriber::new());
        let round = round.await.with_context(|| format!("the round with the seed {seed}"))?;
        rounds.push(round);
        if options.keep.is_none() {
            fs::remove_dir_all(&folder)?;
        }
    }
    say.gap();
    table(&rounds, say);
    say.gap();
    claims.show(say);
    say.gap();
    let held = claims.hold();
    say.title(if held { "Everything held: erased stays erased." } else { "Not everything held." });
    Ok(held)
}

fn table(rounds: &[Round], say: &mut Say) {
    let row = |r: &Round| {
        vec![
            r.seed.to_string(),
            number(r.happened as u64),
            number(r.erased as u64),
            r.back.clone(),
            number(r.blobs),
            size(r.bytes),
            format!("{:.2} s", r.took.as_secs_f64()),
        ]
    };
    let rows: Vec<_> = rounds.iter().map(row).collect();
    say.table(
        &["seed", "happened", "people erased", "put back", "blobs tried", "searched", "back in service"],
        &rows,
    );
    let mut took: Vec<Duration> = rounds.iter().map(|r| r.took).collect();
    took.sort_unstable();
    let at = |n: usize| took.get(n).copied().unwrap_or_default().as_secs_f64();
    say.note(&format!(
        "{}: from the first byte of the backup to the first answer {:.2} s in the middle, {:.2} s at most.",
        count(rounds.len() as u64, "round", "rounds"),
        at(took.len() / 2),
        at(took.len().saturating_sub(1)),
    ));
}

pub(super) enum Home {
    Kept(PathBuf),
    Gone(tempfile::TempDir),
}

impl Home {
    pub(super) fn of(keep: Option<&Path>) -> anyhow::Result<Self> {
        let Some(folder) = keep else {
            return Ok(Self::Gone(tempfile::Builder::new().prefix("vouchsafe-drill-").tempdir()?));
        };
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            bail!("{} is not empty; name a new folder to keep things in", folder.display());
        }
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(Self::Kept(fs::canonicalize(folder)?))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Gone(folder) => folder.path(),
        }
    }
}

async fn round(
    folder: &Path,
    (seed, first): (u64, bool),
    options: &Options,
    claims: &mut Claims,
) -> anyhow::Result<Round> {
    let mut town = Town::found(folder, seed).await?;
    past(&mut town).await?;
    let before = town.app.ledger.checkpoint().await?;
    let (chosen, lost) = choose(&town, first);
    town.stop().await;
    if lost {
        lose_the_disk(&town)?;
    }
    let began = Instant::now();
    let reach = put_back(&town, &chosen, claims).await?;
    town.start().await?;
    let old = reach.data < town.step || reach.keys < town.step;
    claims
        .look(SHUTS, !town.app.gate.is_open() || !old, || format!("seed {seed}: {reach:?} of {}", town.step));
    let mut took = began.elapsed();
    if options.without_the_replay {
        town.app.gate.open();
    } else {
        while_shut(&town, reach, claims).await?;
        let began = Instant::now();
        backup::bring_up_to_date(&town.app).await?;
        took += began.elapsed();
    }
    look::open(&town, claims).await?;
    look::people(&town, reach, claims).await?;
    look::ledger(&town, &before, claims).await.or_else(|e| control(options, e))?;
    // Somebody comes afterwards, as people do: a control, for theirs must open.
    town.arrive().await?;
    let (blobs, _) = look::blobs(&town, claims).await?;
    let bytes = look::bytes(&town, claims)?;
    town.stop().await;
    let names: Vec<&str> =
        chosen.iter().filter_map(|n| town.backups.get(*n)).map(|b| b.what.as_str()).collect();
    let lost = if lost { ", after the disk was lost" } else { "" };
    Ok(Round {
        seed,
        happened: town.step,
        erased: town.people.iter().filter(|p| p.gone.is_some()).count(),
        back: format!("{}{lost}", names.join(" and ")),
        blobs,
        bytes,
        took,
    })
}

/// A control may break off where the drill itself must not.
fn control(options: &Options, e: anyhow::Error) -> anyhow::Result<()> {
    if options.without_the_replay { Ok(()) } else { Err(e) }
}

/// What happened before the disk was lost: by chance, but with a backup early on, and erasures after it.
async fn past(town: &mut Town) -> anyhow::Result<()> {
    for _ in 0..4 {
        town.arrive().await?;
    }
    town.revoke_a_key(true).await?;
    town.back_up(What::Data).await?;
    town.back_up(What::Keystore).await?;
    for _ in 0..12 + town.pick(12) {
        town.live().await?;
    }
    town.arrive().await?;
    town.erase_somebody().await?;
    town.erase_picture().await?;
    town.revoke_a_key(false).await?;
    town.app.ledger.sequence().await?;
    Ok(())
}

/// Which backups are put back, one of each sort at most, and whether the disk was lost before. In the first round the
/// data are among them, so that every claim is looked at however few rounds there are.
fn choose(town: &Town, first: bool) -> (Vec<usize>, bool) {
    let of = |what: What| {
        let all: Vec<usize> =
            town.backups.iter().enumerate().filter(|(_, b)| b.what == what).map(|(n, _)| n).collect();
        all.get(town.pick(all.len())).copied()
    };
    let lost = town.pick(3) == 0;
    let chosen = match town.pick(3) {
        0 if !lost && !first => [of(What::Keystore), None],
        1 => [of(What::Keystore), of(What::Data)],
        _ => [of(What::Data), None],
    };
    (chosen.into_iter().flatten().collect(), lost)
}

/// The main database and the bytes are gone; what lies on other volumes, the keystore and the published ledger, is not.
fn lose_the_disk(town: &Town) -> anyhow::Result<()> {
    for name in ["vouchsafe.db", "vouchsafe.db-wal", "vouchsafe.db-shm"] {
        let path = town.data.join(name);
        if path.exists() {
            fs::remove_file(path)?;
        }
    }
    fs::remove_dir_all(town.data.join("blobs"))?;
    Ok(())
}

async fn put_back(town: &Town, chosen: &[usize], claims: &mut Claims) -> anyhow::Result<Reach> {
    let mut reach = Reach { data: town.step, keys: town.step };
    let alive = town.app.keys.epochs();
    for n in chosen {
        let Some(taken) = town.backups.get(*n) else { continue };
        let passed = taken.what == What::Keystore && !alive.iter().any(|e| e.number == taken.epoch);
        match town.put_back(*n).await {
            Ok(()) => match taken.what {
                What::Data => reach.data = taken.at,
                What::Keystore => reach.keys = taken.at,
            },
            Err(_) if passed => {}
            Err(e) => return Err(e),
        }
        if taken.what == What::Keystore {
            let refused = reach.keys == town.step;
            claims.look(EPOCH_PASSED, passed == refused, || format!("the copy of epoch {}", taken.epoch));
        }
    }
    Ok(reach)
}

/// What must hold before anything was done again.
async fn while_shut(town: &Town, reach: Reach, claims: &mut Claims) -> anyhow::Result<()> {
    if town.app.gate.is_open() {
        return Ok(());
    }
    look::shut(town, claims).await?;
    if reach.data == town.step {
        return Ok(());
    }
    let signed = town.app.ledger.sequence().await;
    let refused = matches!(signed, Err(ledger::Error::Behind { .. }));
    claims.look(look::UNSIGNED, refused, || format!("it said {signed:?}"));
    let (entries, aside) = (town.data.join("ledger/tile/entries"), town.data.join("ledger/aside"));
    fs::rename(&entries, &aside)?;
    let tried = backup::bring_up_to_date(&town.app).await;
    let kept_shut = matches!(tried, Err(backup::Error::Missing { .. })) && !town.app.gate.is_open();
    claims.look(look::INCOMPLETE, kept_shut, || format!("it said {tried:?}"));
    Ok(fs::rename(&aside, &entries)?)
}
