//! The whole story on a throw-away data folder, with a clock of its own: each step says what was proved, with figures.
//!
//! Promises: nothing is called proved that was not looked at; a search that finds nothing has found a planted word first;
//! nothing outside its own folder is changed. Must never: be run over the data of real people.

mod cast;
mod erase;
mod keys;
mod photos;
mod pictures;
mod proofs;
mod rights;
mod stage;
mod stand_in;
mod story;
mod take_home;
mod tell;

use std::path::PathBuf;

use anyhow::bail;
use tracing::instrument::WithSubscriber as _;

use super::Say;
use stage::Stage;
use tell::Telling;

/// What to show.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Photographs to try as well, each file of this folder; they are only read
    #[arg(long, value_name = "DIR")]
    pub photos: Option<PathBuf>,
    /// Keep what was made in this new folder: data, take-home archives, receipts, the exported ledger
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Who edits
    #[arg(long, value_enum, default_value_t)]
    pub provider: Provider,
    /// Leave a word of the erased person behind on purpose, to see that the search finds it and that this then fails
    #[arg(long)]
    pub leave_a_trace: bool,
}

/// Who edits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Provider {
    /// The local one: filters, no model; nothing leaves this machine
    #[default]
    Studio,
    /// FAL.AI's protocol, for the service whose document names it, spoken with a stand-in on this machine
    Fal,
    /// Replicate's, likewise
    Replicate,
}

impl Provider {
    fn says(self) -> &'static str {
        match self {
            Self::Studio => "studio, our own filters; it is no AI and does not pretend to be",
            Self::Fal => "a stand-in for FAL.AI, at flux-kontext; studio, our own filters, at opusflair",
            Self::Replicate => {
                "a stand-in for Replicate, at opusflair; studio, our own filters, at flux-kontext"
            }
        }
    }
}

/// Tells the story. Whether every step held.
pub async fn demo(options: &Options, say: &mut Say) -> anyhow::Result<bool> {
    // Before anything is told: a folder that cannot be read is no step that does not hold.
    if let Some(folder) = &options.photos
        && photos::files(folder)?.is_empty()
    {
        bail!("{} holds no file to try", folder.display());
    }
    let stage = Box::pin(Stage::open(options)).await?;
    say.title("vouchsafe demo");
    say.prose(
        "A throw-away data folder, invented people, a clock of its own. Nothing leaves this machine. Each step says what \
         was looked at; a step that does not hold makes the whole fail.",
    );
    say.gap();
    say.row("data folder", stage.data.display().to_string());
    say.row("the clock begins", stage.app.clock.now().in_words());
    say.row("edits are made by", options.provider.says());
    let mut telling = Telling::new(say);
    let log = stage.log()?;
    let told = Box::pin(story::tell(&stage, options, &mut telling)).with_subscriber(log).await;
    stage.app.close().await;
    let held = telling.close(told.is_ok());
    if let Some(kept) = &options.keep {
        say.gap();
        say.line(format!("Kept in {}: have a look, and delete it.", kept.display()));
    }
    Ok(held)
}
