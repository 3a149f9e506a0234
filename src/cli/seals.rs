//! How the seals stand, for whoever looks after the keys.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use serde::Serialize;

use crate::app::App;
use crate::keystore::{SealFault, SealKind};

/// A seal that is configured, or that an epoch asks for.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// `file`, `environment`, `aws-kms` or `vault`; none for one that is not configured.
    pub(super) kind: Option<&'static str>,
    /// Its name in the epoch files.
    pub(super) id: String,
    /// Whether an epoch is wrapped by it.
    pub(super) in_use: bool,
    /// Whether it can be reached and used.
    pub(super) reachable: bool,
    /// Why not.
    pub(super) why: Option<String>,
}

/// Asks each seal.
pub(super) async fn standing(app: &App) -> Vec<Standing> {
    let mut used: Vec<String> = app.keys.epochs().into_iter().flat_map(|e| e.seals).collect();
    used.sort();
    used.dedup();
    let mut all = Vec::new();
    for seal in app.keys.seals().all() {
        let looked = seal.look().await;
        let in_use = used.iter().any(|id| id == seal.id());
        used.retain(|id| id != seal.id());
        all.push(Standing {
            kind: Some(seal.kind().name()),
            id: seal.id().to_owned(),
            in_use,
            reachable: looked.is_ok(),
            why: looked.err().map(|e| e.to_string()),
        });
    }
    all.extend(used.into_iter().map(|id| Standing {
        kind: None,
        id,
        in_use: true,
        reachable: false,
        why: Some(SealFault::NotConfigured.to_string()),
    }));
    all
}

/// Something about where the seal key is kept that must not be, or that somebody should look at.
#[derive(Debug, Serialize)]
pub(super) struct Remark {
    /// Whether `vouchsafe doctor` fails for it.
    pub(super) fails: bool,
    /// What it is.
    pub(super) text: String,
}

/// What is to be said about where the seal key is kept.
pub(super) fn remarks(app: &App, seals: &[Standing]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut say = |fails, text: String| remarks.push(Remark { fails, text });
    let data = &app.config.data.folder;
    let file = app.config.keys_folder().join("seal.key");
    let of = |kind: SealKind| seals.iter().find(|s| s.kind == Some(kind.name()));
    if let Some(standing) = of(SealKind::File) {
        // On a machine to try it out on there is one volume, and nothing on it that matters.
        let fails = standing.in_use && !app.config.server.development;
        if !standing.in_use {
            say(false, format!("{} seals no epoch any more: destroy it", file.display()));
        } else if device(&file).is_some() && device(&file) == device(data) {
            let text = "the seal key lies on the same volume as the data: whoever copies the volume has both. Put \
                        keys.folder on another volume, or have the key kept elsewhere (`vouchsafe keys move`)";
            say(fails, text.to_owned());
        }
        if mode(&file).is_some_and(|m| m & 0o177 != 0) {
            say(true, format!("{} can be used by others than its owner; chmod 600", file.display()));
        }
    }
    for seal in seals {
        match (&seal.why, seal.in_use) {
            (Some(why), in_use) => say(in_use, format!("the seal {} {why}", seal.id)),
            (None, false) if seal.kind != Some(SealKind::File.name()) => {
                let kind = seal.kind.unwrap_or_default();
                say(
                    false,
                    format!(
                        "{} is configured and seals nothing yet: `vouchsafe keys move --to {kind}`",
                        seal.id
                    ),
                );
            }
            (None, _) => {}
        }
    }
    if seals.iter().filter(|s| s.in_use).count() > 1 {
        let text = "the epochs are wrapped by two seals: a move was cut short, or is under way. `vouchsafe keys move` \
                    again finishes it";
        say(false, text.to_owned());
    }
    remarks
}

fn device(path: &Path) -> Option<u64> {
    std::fs::metadata(path).map(|m| m.dev()).ok()
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|m| m.permissions().mode() & 0o777)
}
