use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::place::{Place, lock};
use super::say::{self, Say};
use super::verify::Trust;
use super::{Variables, restore, status};
use crate::app::App;
use crate::backup;
use crate::base::{EntryId, PageSize};
use crate::ledger::{Checkpoint, Report, VerifierKey, verify_folder};

/// What to do with a ledger.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Hash everything again: a folder that somebody exported (offline), or this installation's own ledger
    Verify {
        /// An exported folder; without one, this installation's
        folder: Option<PathBuf>,
        #[command(flatten)]
        trust: Trust,
        /// A checkpoint that you kept: the ledger must still begin with it
        #[arg(long, value_name = "FILE", requires = "folder")]
        earlier: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Write the whole ledger into a folder that anybody can verify or serve
    Export {
        /// Where to
        folder: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Write a receipt of one entry: it carries the proof that the entry stands in the ledger, and verifies offline
    Receipt {
        /// The entry: its number, or its id `ent_…`
        entry: String,
        /// Where to; without it, to the standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// After a backup was put back: do again what happened since, erasures first of all, as `serve` does before it opens
    Replay {
        /// A copy of the published ledger; without one, the folder where this installation publishes it
        folder: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Print the newest signed head, to be kept by somebody else
    Checkpoint {
        #[command(flatten)]
        place: Place,
    },
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Verify { folder: Some(folder), trust, earlier, .. } => {
            let key = trust.wanted()?;
            let earlier = earlier.map(|path| kept(&path, &key)).transpose()?;
            told(verify_folder(&folder, &key, earlier.as_ref()), say)
        }
        Command::Verify { place, .. } => {
            let app = place.open(variables).await?;
            let report = app.ledger.fsck().await;
            app.close().await;
            told(report, say)
        }
        Command::Export { folder, place } => {
            let app = place.open(variables).await?;
            let head = app.ledger.export(&folder).await?;
            say.title("The ledger, as anybody may have it.");
            say.row("folder", folder.display().to_string());
            say.row("entries", say::number(head.size()));
            say.row("key", app.ledger.verifier().to_string());
            say.note("Hand the folder and the key to whoever is to check. They run:");
            let key = app.ledger.verifier();
            say.line(format!("    vouchsafe ledger verify {} --key '{key}'", folder.display()));
            app.close().await;
            Ok(status(true))
        }
        Command::Receipt { entry, out, place } => {
            let app = place.open(variables).await?;
            let id = named(&app, &entry).await?;
            let receipt = app.ledger.receipt(id, None).await?;
            let (text, key) = (receipt.to_text()?, app.ledger.verifier().clone());
            app.close().await;
            let Some(out) = out else {
                say.text(text);
                return Ok(status(true));
            };
            std::fs::write(&out, text).with_context(|| format!("{} cannot be written", out.display()))?;
            say.title(receipt.sentence());
            say.note("Anybody can check it, with no network and no installation:");
            say.line(format!("    vouchsafe verify {} --key '{key}'", out.display()));
            Ok(status(true))
        }
        Command::Replay { folder, place } => replay(folder, &place, variables, say).await,
        Command::Checkpoint { place } => {
            let app = place.open(variables).await?;
            say.text(app.ledger.checkpoint().await?.note());
            say.gap();
            say.line(format!("key {}", app.ledger.verifier()));
            app.close().await;
            Ok(status(true))
        }
    }
}

/// Does again what happened since a backup, and leaves the service open.
async fn replay(
    folder: Option<PathBuf>,
    place: &Place,
    variables: &Variables,
    say: &mut Say,
) -> anyhow::Result<ExitCode> {
    // A service that runs does this itself.
    let _alone = lock(&place.config(variables)?)?;
    let app = place.open_as_it_is(variables).await?;
    let done = match (app.gate.why(), folder) {
        (None, _) => None,
        (Some(_), None) => Some(backup::bring_up_to_date(&app).await),
        (Some(_), Some(folder)) => Some(backup::bring_up_to_date_from(&app, &folder).await),
    };
    app.close().await;
    let Some(done) = done.transpose()? else {
        say.title("There is nothing to do again: no backup was put back here.");
        return Ok(status(true));
    };
    say.title("What happened since the backup was done again. The service may be started.");
    restore::show(&done, say);
    Ok(status(true))
}

/// The id of an entry that somebody named by its number or its id.
async fn named(app: &App, text: &str) -> anyhow::Result<EntryId> {
    let Ok(index) = text.parse::<u64>() else {
        return text.parse().context("an entry is named by its number, or by its id `ent_…`");
    };
    let next = index.saturating_add(1).to_string();
    let page = app.ledger.tail(PageSize::new(1).unwrap_or_default(), Some(&next)).await?;
    let found = page.items.first().filter(|entry| entry.index == index).map(|entry| entry.leaf.id);
    found.with_context(|| format!("there is no entry {index}"))
}

fn kept(path: &Path, key: &VerifierKey) -> anyhow::Result<Checkpoint> {
    let note = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Checkpoint::open(&note, key)
        .with_context(|| format!("{} is not a checkpoint by this key", path.display()))
}

fn told(found: Result<Report, crate::ledger::Error>, say: &mut Say) -> anyhow::Result<ExitCode> {
    let report = match found {
        Ok(report) => report,
        Err(e) if matches!(e, crate::ledger::Error::Forged(_)) => {
            say.title("The ledger does not hold.");
            say.check(false, &e.to_string());
            return Ok(status(false));
        }
        Err(e) => return Err(e.into()),
    };
    say.title(if report.is_sound() { "The ledger holds." } else { "The ledger does not hold." });
    say.row("entries signed for", say::number(report.size));
    say.row("entries hashed again", say::number(report.entries));
    say.row("tiles compared", say::number(report.tiles));
    say.row("signatures verified", say::number(report.checkpoints));
    say.row("root", hex::encode(report.root.0));
    for fault in &report.faults {
        say.check(false, &fault.to_string());
    }
    Ok(status(report.is_sound()))
}
