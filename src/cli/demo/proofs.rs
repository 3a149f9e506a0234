//! What a stranger checks, with a key and some files, and without us.

use std::fs;

use super::stage::Stage;
use super::take_home::receipt_path;
use super::tell::Outcome;
use crate::base::ReceiptId;
use crate::cli::say::{count, number};
use crate::ledger::{Checkpoint, Receipt, VerifierKey, verify_folder};

/// The receipts are written out, and verified from their files with nothing but the ledger's key.
pub(super) async fn receipts(
    stage: &Stage,
    receipts: &[(&'static str, ReceiptId)],
) -> anyhow::Result<((), Outcome)> {
    let mut out = Outcome::default();
    for (name, id) in receipts {
        let (_, receipt) = stage.app.requests.receipt(*id).await?;
        fs::write(receipt_path(stage, name), receipt.to_text()?)?;
    }
    fs::write(stage.outside.join("ledger-key.txt"), format!("{}\n", stage.app.ledger.verifier()))?;
    fs::write(stage.outside.join("archive-key.txt"), format!("{}\n", stage.app.requests.archive_key()))?;
    // From here on only the text of the key, and the files.
    let key: VerifierKey = stage.app.ledger.verifier().to_string().parse()?;
    for (name, _) in receipts {
        let text = fs::read_to_string(receipt_path(stage, name))?;
        let verified = Receipt::parse(&text)?.verify(&key, &[])?;
        out.claim(true, format!("{name}: {}", verified.sentence));
        out.row(name.to_string(), format!("entry {} of {}", verified.index, number(verified.size)));
        out.claim(forged(&text, &key), "control: with its tenant's name changed, it does not verify");
    }
    out.note("Each says as well what it does not prove: `vouchsafe verify FILE --key …` prints it.");
    out.short(format!("{} verified offline", count(receipts.len() as u64, "receipt", "receipts")));
    Ok(out.with(()))
}

/// Whether a receipt that says something else is refused.
fn forged(text: &str, key: &VerifierKey) -> bool {
    let other = text.replace("flux-kontext", "flux-kontexx");
    other != text && Receipt::parse(&other).and_then(|r| r.verify(key, &[])).is_err()
}

/// The whole ledger, exported, verified from its files; then once more with a byte changed.
pub(super) async fn ledger(stage: &Stage, first: &Checkpoint) -> anyhow::Result<((), Outcome)> {
    let mut out = Outcome::default();
    stage.jobs.settle().await?;
    let folder = stage.outside.join("ledger");
    let head = stage.app.ledger.export(&folder).await?;
    let key: VerifierKey = stage.app.ledger.verifier().to_string().parse()?;
    let report = verify_folder(&folder, &key, Some(first))?;
    out.row(
        "exported",
        format!("{}, {}", count(report.entries, "entry", "entries"), count(report.tiles, "tile", "tiles")),
    );
    out.row("first head, last head", format!("{} and {} entries", first.size(), head.size()));
    out.claim(
        report.is_sound() && report.entries == head.size(),
        "every entry hashes to the root that was signed",
    );
    out.claim(first.size() < head.size(), "it still begins with the head that was signed at the start");
    let own = stage.app.ledger.fsck().await?;
    out.claim(
        own.is_sound() && own.root == head.root(),
        "the database holds the same ledger, entry for entry",
    );
    let broken = altered(&folder)?;
    let found = verify_folder(&folder, &key, None).map_or(true, |r| !r.is_sound());
    fs::write(&broken.0, &broken.1)?;
    out.claim(found, "control: with one bit of one entry changed, it is refused");
    out.short(format!("{} verified from their files", count(report.entries, "entry", "entries")));
    Ok(out.with(()))
}

/// Changes a bit in an exported bundle of entries. Gives the file, and what it held.
fn altered(folder: &std::path::Path) -> anyhow::Result<(std::path::PathBuf, Vec<u8>)> {
    let mut folders = vec![folder.join("tile").join("entries")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let before = fs::read(&path)?;
            let mut after = before.clone();
            let middle = after.len() / 2;
            if let Some(byte) = after.get_mut(middle) {
                *byte ^= 1;
            }
            fs::write(&path, after)?;
            return Ok((path, before));
        }
    }
    anyhow::bail!("the exported ledger has no entries")
}
