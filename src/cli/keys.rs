use std::process::ExitCode;

use serde_json::json;

use super::place::Place;
use super::say::{self, Say};
use super::seals::{self, Remark, Standing};
use super::{Variables, status};
use crate::app::App;
use crate::keystore::{SealKind, Status};

/// What to do with the keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// How many keys there are, under which epochs, by which seal, and what to look at
    Status {
        #[command(flatten)]
        place: Place,
        /// For a program
        #[arg(long)]
        json: bool,
    },
    /// Begin a new epoch: afterwards, copies of the keystore from two epochs ago open nothing
    ///
    /// It may run beside services.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// For a program
        #[arg(long)]
        json: bool,
    },
    /// Have the epochs wrapped by another seal, while the service runs
    ///
    /// Each epoch is first wrapped by both, tried with the new one alone, and only then is the old wrapping taken away. Cut
    /// short, the same command goes on.
    Move {
        #[command(flatten)]
        place: Place,
        /// The seal to move to; it must be configured (a file is made)
        #[arg(long)]
        to: To,
        /// For a program
        #[arg(long)]
        json: bool,
    },
}

/// A sort of seal, as on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum To {
    /// A key in keys/seal.key
    File,
    /// The key in keys.seal
    Environment,
    /// The key of [keys.aws-kms]
    AwsKms,
    /// The key of [keys.vault]
    Vault,
}

impl To {
    fn kind(self) -> SealKind {
        match self {
            Self::File => SealKind::File,
            Self::Environment => SealKind::Given,
            Self::AwsKms => SealKind::AwsKms,
            Self::Vault => SealKind::Vault,
        }
    }
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status { place, json } => {
            let app = place.open(variables).await?;
            let well = show(&app, json, say).await?;
            app.close().await;
            Ok(status(well))
        }
        Command::Rotate { place, json } => {
            let app = place.open(variables).await?;
            let rotated = rotate(&app, json, say).await;
            app.close().await;
            rotated?;
            Ok(status(true))
        }
        Command::Move { place, to, json } => {
            if to == To::File {
                App::make_seal_file(&place.config(variables)?)?;
            }
            let app = place.open(variables).await?;
            let moved = move_to(&app, to, json, say).await;
            app.close().await;
            moved?;
            Ok(status(true))
        }
    }
}

async fn show(app: &App, json: bool, say: &mut Say) -> anyhow::Result<bool> {
    let now = app.keys.status().await?;
    let seals = seals::standing(app).await;
    let remarks = seals::remarks(app, &seals);
    let well = now.epochs.len() <= 2 && seals.iter().all(|s| s.reachable || !s.in_use);
    if json {
        say.line(described(app, &now, &seals, &remarks, well).to_string());
        return Ok(well);
    }
    say.title("Keys");
    say.row("people", say::number(now.subjects.unsigned_abs()));
    say.row("pictures and records", say::number(now.items.unsigned_abs()));
    say.row("of the service", say::number(now.system.unsigned_abs()));
    say.row("people erased", say::number(now.fences.unsigned_abs()));
    say.row("to be wrapped anew", say::number(now.stale.unsigned_abs()));
    say.row("do not open", say::number(now.aside.unsigned_abs()));
    let today = app.clock.now();
    for epoch in &now.epochs {
        let days = today.since(epoch.since).num_days().unsigned_abs();
        let age = say::count(days, "day", "days");
        let (since, by) = (epoch.since.in_words(), epoch.seals.join(" and "));
        say.row(&format!("epoch {}", epoch.number), format!("since {since}, {age} old, wrapped by {by}"));
    }
    if let Some(next) = app.keys.next_rotation() {
        say.row("next epoch", next.in_words());
    }
    for seal in &seals {
        let used = if seal.in_use { "in use" } else { "not in use" };
        let reached = if seal.reachable { "can be reached" } else { "cannot be used" };
        say.row(seal.kind.unwrap_or("unknown seal"), format!("{}, {used}, {reached}", seal.id));
    }
    say.check(now.epochs.len() <= 2, "at most two epochs are alive");
    say.check(well, "every seal in use can be reached");
    for remark in &remarks {
        say.warning(&remark.text);
    }
    Ok(well)
}

fn described(
    app: &App,
    now: &Status,
    seals: &[Standing],
    remarks: &[Remark],
    well: bool,
) -> serde_json::Value {
    let epochs: Vec<_> = now
        .epochs
        .iter()
        .map(|e| {
            let days = app.clock.now().since(e.since).num_days();
            json!({"number": e.number, "since": e.since.rfc3339(), "age_days": days, "seals": e.seals})
        })
        .collect();
    json!({
        "well": well,
        "people": now.subjects,
        "items": now.items,
        "system": now.system,
        "erased": now.fences,
        "stale": now.stale,
        "aside": now.aside,
        "epochs": epochs,
        "next_rotation": app.keys.next_rotation().map(crate::base::Timestamp::rfc3339),
        "seals": seals,
        "remarks": remarks,
    })
}

async fn rotate(app: &App, json: bool, say: &mut Say) -> anyhow::Result<()> {
    let done = app.keys.rotate().await?;
    app.note_destroyed_epochs().await?;
    if json {
        let said = json!({
            "epoch": done.epoch, "people": done.subjects, "items": done.items, "system": done.system,
            "destroyed": done.destroyed,
        });
        say.line(said.to_string());
        return Ok(());
    }
    say.title(&format!("Epoch {} has begun.", done.epoch));
    let (people, items) = (done.subjects, done.items);
    say.row(
        "wrapped anew",
        format!("{people} keys of people, {items} of items, {} of the service", done.system),
    );
    match done.destroyed {
        Some(epoch) => {
            say.row("destroyed", format!("epoch {epoch}: copies of the keystore made in it open nothing"));
        }
        None => say.note(
            "No epoch was old enough to be destroyed. Copies made until now open until two more have begun.",
        ),
    }
    Ok(())
}

async fn move_to(app: &App, to: To, json: bool, say: &mut Say) -> anyhow::Result<()> {
    let moved = app.keys.move_seal(to.kind()).await?;
    if json {
        say.line(json!({"from": moved.from, "to": moved.to, "epochs": moved.epochs}).to_string());
        return Ok(());
    }
    let from = if moved.from.is_empty() { "itself".to_owned() } else { moved.from.join(", ") };
    say.title(&format!("The epochs are sealed by {}.", moved.to));
    say.row("before", from);
    say.row("wrapped anew", say::count(moved.epochs as u64, "epoch", "epochs"));
    say.check(true, "each was read back and opened by the new seal alone");
    say.note(
        "Services that run keep on running. One that was started without this seal in its configuration can begin no epoch \
         with it: restart it before the next one begins. Nothing needs the old seal any more.",
    );
    Ok(())
}
