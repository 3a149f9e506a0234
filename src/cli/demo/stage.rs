use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use futures_util::TryStreamExt as _;
use tempfile::TempDir;
use tracing::subscriber::Subscriber;

use super::Options;
use super::stand_in::StandIn;
use crate::app::{App, Setup};
use crate::base::{Clock, Entropy, ManualClock, Timestamp};
use crate::blobs::KeyPrefix;
use crate::cli::needles;
use crate::config::Config;
use crate::jobs::Jobs;
use crate::mail;
use crate::policy::Policy;
use crate::vault::Owner;

/// The two documents that ship with the program.
const DOCUMENTS: [&str; 2] = [
    include_str!("../../../policies/flux-kontext/2026-11-01.md"),
    include_str!("../../../policies/opusflair/2026-05-05.md"),
];

/// A whole service on a folder of its own, and a clock whose hand we hold.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) jobs: Jobs,
    pub(super) hand: ManualClock,
    /// The data folder: what a copy of the service's disk would hold.
    pub(super) data: PathBuf,
    /// Where things are put that have left the house: archives, receipts, the exported ledger.
    pub(super) outside: PathBuf,
    /// The provider, where it is not the studio.
    pub(super) stand_in: Option<StandIn>,
    _gone_with_this: Option<TempDir>,
}

/// How much lies in the stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) pictures: i64,
    pub(super) records: i64,
    pub(super) blobs: usize,
    pub(super) keys: i64,
}

impl Stage {
    pub(super) async fn open(options: &Options) -> anyhow::Result<Self> {
        let (home, gone) = home(options.keep.as_deref())?;
        let documents = DOCUMENTS
            .iter()
            .map(|text| {
                Policy::compile(text).map_err(|d| anyhow::anyhow!("a document has {} errors", d.len()))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let (clock, hand) = Clock::manual(first_morning(&documents));
        let (data, outside) = (home.join("data"), home.join("outside"));
        fs::create_dir_all(&outside)?;
        let mut config = Config::throwaway(&data);
        let stand_in = StandIn::start(options.provider, &clock, &mut config).await?;
        let app = App::open(Setup {
            config,
            clock,
            entropy: Entropy::system(),
            documents,
            // A letter that was sent has left the house: it lies in its reader's letter box.
            mail: Some(mail::Settings::Outbox(outside.join("letters"))),
            blobs: None,
            redrawer: std::env::current_exe().ok(),
            logs: None,
        })
        .await?;
        Ok(Self { jobs: Jobs::new(app.clone()), app, hand, data, outside, stand_in, _gone_with_this: gone })
    }

    /// A log in the data folder, at its most talkative: it is searched with everything else.
    pub(super) fn log(&self) -> anyhow::Result<impl Subscriber + Send + Sync + use<>> {
        let folder = self.data.join("logs");
        fs::create_dir_all(&folder)?;
        let file = fs::File::create(folder.join("demo.log"))?;
        Ok(tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(Mutex::new(file))
            .finish())
    }

    /// Lets time pass, and everything happen that is then due.
    pub(super) async fn pass(&self, time: TimeDelta) -> anyhow::Result<()> {
        self.hand.advance(time);
        Ok(self.jobs.settle().await?)
    }

    /// Lets the edits that were asked for come to their end: a provider takes its time, the studio does not.
    pub(super) async fn edits_end(&self) -> anyhow::Result<()> {
        self.jobs.settle().await?;
        for _ in 0..5 {
            self.pass(TimeDelta::seconds(3)).await?;
        }
        Ok(())
    }

    /// How much a person has, and how much lies in the stores of all.
    pub(super) async fn held(&self, owner: &Owner) -> anyhow::Result<Held> {
        let holdings = self.app.vault.holdings(owner).await?;
        Ok(Held {
            pictures: holdings.iter().map(|h| h.images).sum(),
            records: holdings.iter().map(|h| h.records).sum(),
            blobs: self.blobs().await?,
            keys: self.app.keys.status().await?.items,
        })
    }

    /// How many letters were sent, and whether any of them says one of these words in its text.
    pub(super) fn letters(&self, words: &[&str]) -> anyhow::Result<(u64, bool)> {
        let search = needles::search(&self.outside.join("letters"), words)?;
        Ok((search.files, search.found.is_empty()))
    }

    /// How many blobs there are.
    pub(super) async fn blobs(&self) -> anyhow::Result<usize> {
        let all: Vec<_> = self.app.blobs.list(KeyPrefix::all(), None).try_collect().await?;
        Ok(all.len())
    }
}

/// The day after the last document came into force.
fn first_morning(documents: &[Policy]) -> Timestamp {
    let last = documents.iter().map(Policy::effective).max().unwrap_or_default();
    let morning = last.and_hms_opt(9, 0, 0).map(|t| t.and_utc()).unwrap_or_default();
    Timestamp::from_utc(morning).plus(TimeDelta::days(1))
}

fn home(keep: Option<&Path>) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
    let Some(folder) = keep else {
        let gone = tempfile::Builder::new().prefix("vouchsafe-demo-").tempdir()?;
        return Ok((gone.path().to_owned(), Some(gone)));
    };
    let there = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if there {
        bail!("{} is not empty; name a new folder to keep things in", folder.display());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok((fs::canonicalize(folder)?, None))
}
