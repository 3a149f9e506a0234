use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};

use super::backup::passphrase;
use super::place::{self, Place};
use super::say::{self, Say};
use super::{Variables, status};
use crate::app::Standby;
use crate::backup::{self, Done, How, Unlock, What};
use crate::base::{Clock, Entropy, Secret};

/// Put a backup back, and do again what happened since it was taken.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The backup: of the data or of the keystore
    file: PathBuf,
    /// The age identities that open it
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The passphrase that opens it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Replace the database that is there; it is deleted once the service is up to date
    #[arg(long)]
    replace: bool,
    /// Only put it in place: another backup follows, and `vouchsafe ledger replay` or `serve` after that
    #[arg(long)]
    later: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs it.
pub(super) async fn run(args: Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let config = args.place.config(variables)?;
    if config.store.postgres.is_some() {
        bail!(
            "the databases are PostgreSQL's: put them back with psql, as docs/OPERATING.md says, and start the service"
        );
    }
    let mut keys = Vec::new();
    if let Some(path) = &args.identity {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        keys.push(Unlock::Identities(Secret::new(text)));
    }
    if let Some(path) = &args.passphrase_file {
        keys.push(Unlock::Passphrase(passphrase(path)?));
    }
    // Held to the end: no service begins in the middle.
    let _alone = place::lock(&config)?;
    let by = Standby::of(&config, Clock::system(), Entropy::system()).await?;
    let put = backup::put_back(&by, &args.file, How { keys, replace: args.replace }).await?;
    let taken = &put.manifest;
    say.title(match taken.what {
        What::Data => "The data are as they were.",
        What::Keystore => "The keys are as they were.",
    });
    say.row("backup of", taken.made.in_words());
    say.row(
        "verified",
        format!("{}, {}", say::count(taken.members, "file", "files"), say::size(taken.bytes)),
    );
    if taken.what == What::Data {
        say.row("blobs brought back", say::number(put.blobs));
    }
    say.row(
        "ledger entries then, now",
        format!("{}, {}", say::number(taken.entries), say::number(put.known)),
    );
    if args.later {
        say.note("The service is shut until what happened since has been done again: `vouchsafe ledger replay`, or `serve`.");
        return Ok(status(true));
    }
    let app = place::open(config).await?;
    let done = backup::bring_up_to_date(&app).await;
    app.close().await;
    match done {
        Ok(done) => {
            show(&done, say);
            say.row("took", format!("{:.1} seconds", began.elapsed().as_secs_f64()));
            say.check(
                true,
                "everything that the ledger says was erased is erased again; the service may be started",
            );
            Ok(status(true))
        }
        Err(e) => {
            say.check(false, "what happened since was done again; the service stays shut");
            Err(e.into())
        }
    }
}

/// What was done again, as rows; nothing of it is left out but what did not occur.
pub(super) fn show(done: &Done, say: &mut Say) {
    say.row("done again", format!("entries {} to {}", say::number(done.from), say::number(done.to)));
    let facts = done.facts();
    for (name, n) in facts.iter().filter(|(name, n)| *n > 0 && !["from", "to"].contains(name)) {
        say.row(name, say::number(*n));
    }
}
