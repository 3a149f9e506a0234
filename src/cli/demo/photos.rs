//! Somebody's own photographs: each is taken, or refused with a reason and nothing left behind.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;

use super::cast::Person;
use super::pictures;
use super::stage::Stage;
use super::tell::Outcome;
use crate::base::{EditId, Kind, ObjectId};
use crate::cli::say::{count, size};
use crate::editing::{EditState, NewEdit};
use crate::imaging;

/// Tries each file of a folder.
pub(super) async fn try_all(stage: &Stage, person: &Person, folder: &Path) -> anyhow::Result<((), Outcome)> {
    let mut out = Outcome::default();
    let (mut taken, mut refused, mut sound, mut bare) = (0_u64, 0_u64, true, true);
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let came = size(bytes.len() as u64);
        stage.app.credits.grant(&person.owner, 1, "a photograph to try").await?;
        let before = stage.held(&person.owner).await?;
        match stage.app.editing.upload(&person.owner, &person.actor(), Bytes::from(bytes)).await {
            Ok(uploaded) => {
                let seen = &uploaded.metadata;
                bare &= is_bare(stage, person, uploaded.id).await?;
                let new = NewEdit {
                    inputs: vec![uploaded.id],
                    prompt: "warm and vivid".to_owned(),
                    ..NewEdit::default()
                };
                let edit = stage.app.editing.create(&person.owner, &person.actor(), new).await?.id;
                stage.edits_end().await?;
                let edited = edited(stage, person, edit).await?;
                sound &= edited;
                taken += 1;
                let removed = if uploaded.removed.is_empty() {
                    "nothing".to_owned()
                } else {
                    uploaded.removed.join(", ")
                };
                let how = if edited { "taken and edited" } else { "TAKEN BUT NOT EDITED" };
                out.row(
                    name,
                    format!(
                        "{how}: {}, {} × {}, {came}; removed: {removed}",
                        seen.format, seen.width, seen.height
                    ),
                );
            }
            Err(why) => {
                let clean = stage.held(&person.owner).await? == before;
                // A fault of ours is no reason.
                let reasoned = !matches!(why.kind(), Kind::Internal | Kind::Unavailable);
                sound &= clean && reasoned;
                refused += 1;
                let left = if clean { "nothing left behind" } else { "SOMETHING LEFT BEHIND" };
                out.row(name, format!("refused: {why} ({came}; {left})"));
            }
        }
    }
    out.claim(taken + refused > 0, format!("{} tried", count(taken + refused, "file was", "files were")));
    out.claim(bare, "nothing that a camera writes is in any that was stored");
    out.claim(sound, "each was edited, or refused with a reason and no row, key or byte left behind");
    out.short(format!("{taken} edited, {refused} refused, nothing left behind"));
    Ok(out.with(()))
}

/// Whether what was stored of a picture carries nothing that would be taken out of it: stripped again, it is the same.
async fn is_bare(stage: &Stage, person: &Person, id: ObjectId) -> anyhow::Result<bool> {
    let bytes = pictures::read(stage, person, id).await?;
    let inspected = imaging::inspect(&bytes, stage.app.editing.limits())?;
    Ok(imaging::strip(&bytes, &inspected)? == bytes)
}

async fn edited(stage: &Stage, person: &Person, edit: EditId) -> anyhow::Result<bool> {
    let edit = stage.app.editing.get(&person.owner, edit).await?;
    Ok(edit.state == EditState::Succeeded && edit.output.is_some())
}

/// The files of a folder that are tried.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
