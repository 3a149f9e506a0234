use std::process::ExitCode;

use super::place::{Place, lock};
use super::say::{self, Say};
use super::{Variables, status};

/// What to do with the keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// How many keys there are, and under which epochs
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// Begin a new epoch: afterwards, copies of the keystore from two epochs ago open nothing
    Rotate {
        #[command(flatten)]
        place: Place,
    },
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status { place } => {
            let app = place.open(variables).await?;
            let now = app.keys.status().await?;
            say.title("Keys");
            say.row("people", say::number(now.subjects.unsigned_abs()));
            say.row("pictures and records", say::number(now.items.unsigned_abs()));
            say.row("of the service", say::number(now.system.unsigned_abs()));
            say.row("people erased", say::number(now.fences.unsigned_abs()));
            for epoch in &now.epochs {
                say.row(&format!("epoch {}", epoch.number), format!("since {}", epoch.since.in_words()));
            }
            say.check(now.epochs.len() <= 2, "at most two epochs are alive");
            app.close().await;
            Ok(status(now.epochs.len() <= 2))
        }
        Command::Rotate { place } => {
            // A service that runs holds the epochs in memory and would no longer open what is wrapped anew.
            let app = place.open(variables).await?;
            let _alone = lock(&app.config)?;
            let done = app.keys.rotate().await?;
            if let Some(epoch) = done.destroyed {
                app.note_epoch_destroyed(epoch).await?;
            }
            say.title(&format!("Epoch {} has begun.", done.epoch));
            let (people, items) = (done.subjects, done.items);
            say.row(
                "wrapped anew",
                format!("{people} keys of people, {items} of items, {} of the service", done.system),
            );
            match done.destroyed {
                Some(epoch) => say.row("destroyed", format!("epoch {epoch}: copies of the keystore made in it open nothing")),
                None => say.note("No epoch was old enough to be destroyed. Copies made until now open until two more have begun."),
            }
            app.close().await;
            Ok(status(true))
        }
    }
}
