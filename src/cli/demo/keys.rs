//! Old copies of the keystore, and what ends them.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;

use super::cast::{Cast, Person};
use super::pictures::{self, Picture};
use super::stage::Stage;
use super::tell::Outcome;
use crate::crypto;
use crate::keystore::{Class, Epochs, Keystore, Owner, SealKey};
use crate::store::{Db, KEYSTORE, SqliteSettings};

/// The keystore's files, copied somewhere else while A was still there: a backup, or a theft.
pub(super) fn copied(stage: &Stage) -> anyhow::Result<(PathBuf, Outcome)> {
    let mut out = Outcome::new("a copy to be tried again at the end");
    let folder = stage.outside.join("old-copy-of-the-keystore");
    fs::create_dir_all(&folder)?;
    let mut copied = 0;
    for name in ["keystore.db", "keystore.db-wal", "keystore.db-shm"] {
        let from = stage.data.join(name);
        if from.exists() {
            copied += fs::copy(&from, folder.join(name))?;
        }
    }
    out.row("copied", format!("keystore.db and its log, {copied} bytes"));
    out.claim(copied > 0, "somebody has a copy of the keystore from before the erasure");
    Ok(out.with(folder))
}

/// Two weeks pass, two epochs begin, and the old copy opens nothing.
pub(super) async fn outlived(
    stage: &Stage,
    cast: &Cast,
    copy: &Path,
    results: &[Picture],
) -> anyhow::Result<((), Outcome)> {
    let mut out = Outcome::new("an old copy with the seal key opens nothing");
    let first = epochs(stage).await?;
    let before = (opens(stage, copy, &cast.a).await?, opens(stage, copy, &cast.b).await?);
    out.claim(
        before.0 && before.1,
        "control: in its own epoch the copy, with the seal key, still opens A's key and B's",
    );
    stage.pass(TimeDelta::days(7)).await?;
    stage.pass(TimeDelta::days(7)).await?;
    let last = epochs(stage).await?;
    out.row("epochs alive", format!("{first:?} then, {last:?} now, two weeks later"));
    out.claim(
        last.len() <= 2 && first.iter().all(|e| !last.contains(e)),
        "the epochs of then are destroyed; at most two are alive",
    );
    let after = (opens(stage, copy, &cast.a).await?, opens(stage, copy, &cast.b).await?);
    out.claim(!after.0 && !after.1, "the same copy, with the same seal key, opens neither");
    let of_b = pictures::of(results, &cast.b).ok_or_else(|| anyhow::anyhow!("there is no result of B's"))?;
    let bytes = pictures::read(stage, &cast.b, of_b.id).await?;
    out.claim(
        crypto::sha256(&bytes) == of_b.sha256,
        "B's picture opens here as always: living keys moved with the epochs",
    );
    Ok(out.with(()))
}

async fn epochs(stage: &Stage) -> anyhow::Result<Vec<i64>> {
    Ok(stage.app.keys.status().await?.epochs.iter().map(|e| e.number).collect())
}

/// Whether a copy of the keystore gives a person's key, to somebody who has the seal key and the epochs that are alive.
async fn opens(stage: &Stage, copy: &Path, person: &Person) -> anyhow::Result<bool> {
    let (app, folder) = (&stage.app, stage.app.config.keys_folder());
    let seal = SealKey::from_file(&folder.join("seal.key"))?;
    let epochs = Epochs::open(&folder.join("epochs"), seal, app.clock.now(), &app.entropy)?;
    let db = Db::sqlite(SqliteSettings { path: &copy.join("keystore.db"), readers: 1 }, &KEYSTORE).await?;
    let keys = Keystore::new(db, epochs, app.clock.clone(), app.entropy.clone());
    let owner = Owner { tenant: &person.owner.tenant, subject: person.owner.subject };
    let found = keys.derived(owner, Class::Data, "vouchsafe/v1/probe").await;
    keys.close().await;
    Ok(found.is_ok())
}
