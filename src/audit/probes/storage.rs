//! What lies in the vault: sealed, declared, and gone when it was only on the way.

use chrono::TimeDelta;
use serde_json::Value;

use super::Look;
use crate::audit::model::{count, grouped, unsigned};
use crate::audit::sql::look::{self as sql, ObjectRow, RecordRow, Temporary};
use crate::audit::{Error, Outcome};
use crate::base::{SubjectId, TenantId, Timestamp};
use crate::blobs::{self, BlobKey};
use crate::crypto::Fingerprint;
use crate::keystore;

/// How many pictures, and how many records, are taken from the newest and as many again from anywhere.
const EACH: i64 = 32;
/// `nonce ‖ tag` of a sealed value, and at least two bytes of JSON in between.
const SHORTEST_SEALED: usize = 24 + 16 + 2;
/// The first bytes of a blob that are looked at: the header with every argument of our stanza.
const HEAD: usize = 512;
/// How long things may be on the way before they are left-overs.
const GRACE: TimeDelta = TimeDelta::minutes(10);
const A_DAY: TimeDelta = TimeDelta::hours(24);

/// Takes a sample and looks whether it could be read without a key: the age header and our stanza with the right place,
/// the recorded length, the key of the row's fingerprint under its owner's own key; and of records that nothing in clear
/// stands in the column.
pub(super) async fn sealed_at_rest(look: &Look<'_>) -> Result<Outcome, Error> {
    let (objects, records) = {
        let mut tx = look.audit.db.read().await?;
        let blob = BlobKey::new(&look.audit.entropy).to_string();
        let record = somewhere(look);
        (
            sql::objects(&mut tx, look.tenant, &blob, EACH).await?,
            sql::records(&mut tx, look.tenant, &record, EACH).await?,
        )
    };
    let mut flaws = Vec::new();
    for row in &objects {
        if let Some(flaw) = flaw_of_object(look, row).await?
            && lives(look, row).await?
        {
            flaws.push(flaw);
        }
    }
    for row in &records {
        if let Some(flaw) = flaw_of_record(look, row).await? {
            let mut tx = look.audit.db.read().await?;
            if sql::record_lives(&mut tx, look.tenant, &row.id, row.revision).await? {
                flaws.push(flaw);
            }
        }
    }
    let (pictures, fields) = (objects.len() as u64, records.len() as u64);
    let sample =
        format!("{} and {}", count(pictures, "picture", "pictures"), count(fields, "record", "records"));
    let figure = match flaws.first() {
        None => format!("{sample} looked at, every one sealed under its owner's key"),
        Some(first) => format!("{} of {sample} looked at: {first}", grouped(flaws.len() as u64)),
    };
    Ok(Outcome::counted(pictures + fields, flaws.len() as u64, figure))
}

/// A record id from anywhere in the last year: ids begin with their millisecond (RFC 9562, version 7).
fn somewhere(look: &Look<'_>) -> String {
    let back = u64::from_be_bytes(look.audit.entropy.bytes()) % (365 * 86_400_000);
    let at = u64::try_from(look.now.micros() / 1000).unwrap_or(0).saturating_sub(back);
    format!("rec_{at:012x}")
}

async fn lives(look: &Look<'_>, row: &ObjectRow) -> Result<bool, Error> {
    let mut tx = look.audit.db.read().await?;
    Ok(sql::object_lives(&mut tx, look.tenant, &row.id).await?)
}

async fn flaw_of_object(look: &Look<'_>, row: &ObjectRow) -> Result<Option<&'static str>, Error> {
    if !row.meta.as_deref().is_some_and(is_sealed) {
        return Ok(Some("what is noted of a picture is not sealed"));
    }
    let Ok(key) = row.blob_key.parse::<BlobKey>() else { return Ok(Some("a picture has no place")) };
    let body = match look.audit.blobs.get(&key, Some(0..HEAD as u64)).await {
        Ok(body) => body,
        Err(blobs::Error::NotFound | blobs::Error::OutOfRange) => {
            return Ok(Some("the bytes of a picture are not there"));
        }
        Err(e) => return Err(e.into()),
    };
    let total = body.total;
    let head = body.collect(HEAD).await?;
    if !head.starts_with(header(look.tenant, row).as_bytes()) {
        return Ok(Some("a picture does not begin as a sealed file of its place does"));
    }
    if row.cipher_len.map(unsigned) != Some(total) {
        return Ok(Some("a picture is not as long as when it was sealed"));
    }
    let Some(kfp) = row.kfp.as_deref() else { return Ok(Some("a picture has no key")) };
    flaw_of_key(look, &row.subject, &row.id, kfp).await
}

/// The beginning of the file: the age version line, and the stanza that says where the file belongs.
fn header(tenant: &TenantId, row: &ObjectRow) -> String {
    let ObjectRow { subject, id, category, .. } = row;
    format!("age-encryption.org/v1\n-> vouchsafe.dev/ks {tenant} {subject} {id} {category} 1\n")
}

async fn flaw_of_record(look: &Look<'_>, row: &RecordRow) -> Result<Option<&'static str>, Error> {
    if !is_sealed(&row.sealed) {
        return Ok(Some("a record is not sealed"));
    }
    flaw_of_key(look, &row.subject, &format!("{}#{}", row.id, row.revision), &row.kfp).await
}

/// Whether the keystore has the item's key, wrapped under its owner's, and it is the one whose fingerprint the row bears.
async fn flaw_of_key(
    look: &Look<'_>,
    subject: &str,
    item: &str,
    kfp: &[u8],
) -> Result<Option<&'static str>, Error> {
    let Ok(subject) = subject.parse::<SubjectId>() else { return Ok(Some("a row has no owner")) };
    let owner = keystore::Owner { tenant: look.tenant, subject };
    match look.audit.keys.item(owner, item).await {
        Ok(key) if Fingerprint::from_slice(kfp) == Some(key.fingerprint) => Ok(None),
        Ok(_) => Ok(Some("a row was sealed under another key than its owner's")),
        Err(keystore::Error::NoKey | keystore::Error::Fenced) => {
            Ok(Some("a row's key does not lie under its owner's"))
        }
        Err(keystore::Error::Damaged) => Ok(Some("a key does not open under its owner's")),
        Err(e) => Err(e.into()),
    }
}

/// Whether bytes could be a sealed value: long enough, no JSON, and not mostly text. Random bytes are printable in three
/// of eight cases.
fn is_sealed(bytes: &[u8]) -> bool {
    let printable = bytes.iter().filter(|b| (0x20..0x7f).contains(*b)).count();
    bytes.len() >= SHORTEST_SEALED
        && printable * 10 < bytes.len() * 8
        && serde_json::from_slice::<Value>(bytes).is_err()
}

/// Looks whether the category of everything stored is one that the document in force declares.
pub(super) async fn nothing_undeclared(look: &Look<'_>) -> Result<Outcome, Error> {
    let counts = look.audit.vault.counts(look.tenant, look.now).await?;
    let all: i64 = counts.iter().map(|c| c.live).sum();
    let strange: Vec<_> = counts.iter().filter(|c| look.policy.category(&c.category).is_none()).collect();
    let found: i64 = strange.iter().map(|c| c.live).sum();
    let figure = match strange.first() {
        None => format!("0 of {} things stored are of a kind not named here", grouped(unsigned(all))),
        Some(first) => format!(
            "{} of {} things stored are of a kind not named here, such as \u{201c}{}\u{201d}",
            grouped(unsigned(found)),
            grouped(unsigned(all)),
            first.category
        ),
    };
    Ok(Outcome::counted(unsigned(all), unsigned(found), figure))
}

/// Looks for what was only on the way and is still there: uploads that never landed, pictures whose edit is over, bytes
/// whose key is gone, old files where uploads come in.
pub(super) async fn temporaries_removed(look: &Look<'_>) -> Result<Outcome, Error> {
    let (before, day) = (look.now.plus(-GRACE), look.now.plus(-A_DAY));
    let (arrivals, outliving, unburied, ended) = {
        let mut tx = look.audit.db.read().await?;
        let tenant = look.tenant;
        (
            sql::temporaries(&mut tx, tenant, Temporary::Arrival, before).await?,
            sql::temporaries(&mut tx, tenant, Temporary::Outliving, before).await?,
            sql::temporaries(&mut tx, tenant, Temporary::Unburied, look.now.plus(-TimeDelta::hours(1)))
                .await?,
            sql::temporaries(&mut tx, tenant, Temporary::EndedEdits, day).await?,
        )
    };
    let mut files = 0;
    for folder in &look.audit.settings.temporary {
        files += old_files(folder, day).await.map_err(|_| crate::store::Error::Unavailable)?;
    }
    let left = [
        (unsigned(arrivals), "upload that never arrived", "uploads that never arrived"),
        (unsigned(outliving), "picture whose edit is over", "pictures whose edit is over"),
        (unsigned(unburied), "blob whose key is gone", "blobs whose key is gone"),
        (files, "file left where uploads come in", "files left where uploads come in"),
    ];
    let found: u64 = left.iter().map(|(n, ..)| n).sum();
    let ended = unsigned(ended);
    let figure = if found == 0 {
        format!("nothing is left over; {} ended in 24 hours", count(ended, "edit", "edits"))
    } else {
        let words: Vec<String> =
            left.iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| count(*n, one, many)).collect();
        format!("left over: {}", words.join(", "))
    };
    Ok(Outcome::counted(ended + found, found, figure))
}

/// Files of a folder last written before `before`. A folder that is not there holds none.
async fn old_files(folder: &std::path::Path, before: Timestamp) -> std::io::Result<u64> {
    let mut entries = match tokio::fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(e),
    };
    let mut old = 0;
    while let Some(entry) = entries.next_entry().await? {
        // A file that was moved on since the folder was read is not left over.
        let Ok(meta) = entry.metadata().await else { continue };
        let written = Timestamp::from_utc(meta.modified()?.into());
        old += u64::from(meta.is_file() && written < before);
    }
    Ok(old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Entropy;

    #[test]
    fn text_and_json_are_not_sealed_and_random_bytes_are() {
        let long = "a prompt in clear, long enough to be a sealed value by its length alone".as_bytes();
        assert!(!is_sealed(long));
        assert!(!is_sealed(br#"{"text":"a red house on a hill, in the evening, with a dog"}"#));
        let random = Entropy::seeded(1).bytes::<96>();
        assert!(is_sealed(&random));
        assert!(!is_sealed(&random[..40]), "too short to hold nonce, tag and a value");
    }
}
