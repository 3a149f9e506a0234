//! Looking at the store of blobs before anything is put into it.

use anyhow::Context as _;

use crate::app::App;
use crate::blobs::{Blobs, Level};

/// Refuses a store in which an erasure would not be one (old versions kept, a lock, a rule that deletes by itself), or
/// that does not keep what it is given. What only ought to be known is written to the log.
pub(super) async fn fit(app: &App) -> anyhow::Result<()> {
    let store = app.blobs.describe();
    if matches!(app.blobs, Blobs::S3(_)) {
        tracing::info!("waiting for the bucket: {store}");
    }
    let found = app.blobs.check(&app.entropy).await.with_context(|| format!("{store} cannot be used"))?;
    let mut unfit = Vec::new();
    for finding in &found {
        match finding.level {
            Level::Good => {}
            Level::Warning => tracing::warn!(about = finding.about, "blobs: {}", finding.text),
            Level::Error => unfit.push(format!("{}: {}", finding.about, finding.text)),
        }
    }
    anyhow::ensure!(unfit.is_empty(), "{store} cannot be used: {}", unfit.join("; "));
    Ok(())
}
