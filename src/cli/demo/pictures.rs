//! Photographs in, edits, results, and the end of the uploads.

use bytes::Bytes;
use chrono::TimeDelta;

use super::cast::{Cast, Person, TRAINING};
use super::stage::Stage;
use super::tell::Outcome;
use crate::base::ObjectId;
use crate::cli::needles;
use crate::cli::say::{count, short, size};
use crate::crypto;
use crate::editing::{EditState, ModelChoice, NewEdit, PURPOSE, Uploaded};
use crate::imaging::{self, Format, sample};
use crate::policy::Role;
use crate::vault::{self, Access, Actor};

/// A picture may not be larger than this when it is read back.
pub(super) const MOST: u64 = 1 << 30;

/// Whose upload it is.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) person: Person,
    pub(super) id: ObjectId,
    model: ModelChoice,
}

/// A result.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) person: Person,
    pub(super) id: ObjectId,
    pub(super) sha256: [u8; 32],
}

/// Four photographs, with everything a telephone writes into a file.
pub(super) async fn upload(stage: &Stage, cast: &Cast) -> anyhow::Result<(Vec<Upload>, Outcome)> {
    let mut out = Outcome::default();
    let mut uploads = Vec::new();
    let mut clean = true;
    let shots = [
        (&cast.a, Format::Jpeg, ModelChoice::Pro),
        (&cast.a, Format::Png, ModelChoice::Max),
        (&cast.b, Format::WebP, ModelChoice::Pro),
        (&cast.c, Format::Jpeg, ModelChoice::Max),
    ];
    for (seed, (person, format, model)) in (1..).zip(shots) {
        let photograph = sample::photograph(seed, &format!("at the {}", person.camera), format)?;
        anyhow::ensure!(
            needles::holds(&photograph, &person.camera),
            "the photograph does not carry its word"
        );
        let (uploaded, bytes) = take_in(stage, person, photograph).await?;
        clean &= !needles::holds(&bytes, &person.camera);
        out.row(
            format!("{}, {format}", person.called),
            format!(
                "{} × {}; removed: {}",
                uploaded.metadata.width,
                uploaded.metadata.height,
                uploaded.removed.join(", ")
            ),
        );
        uploads.push(Upload { person: person.clone(), id: uploaded.id, model });
    }
    out.claim(clean, "the camera's words were in each file when it came, and are in none that is stored");
    let words: Vec<&str> = uploads.iter().flat_map(|u| u.person.words()).collect();
    let seen = needles::search(&stage.data, &words)?;
    out.claim(seen.found.is_empty(), "no planted word lies in the data folder in clear");
    out.short(format!("{} pictures stripped and sealed", uploads.len()));
    Ok(out.with(uploads))
}

/// Uploads a picture, and reads back what was stored of it.
pub(super) async fn take_in(
    stage: &Stage,
    person: &Person,
    photograph: Vec<u8>,
) -> anyhow::Result<(Uploaded, Vec<u8>)> {
    let uploaded = stage.app.editing.upload(&person.owner, &person.actor(), Bytes::from(photograph)).await?;
    let bytes = read(stage, person, uploaded.id).await?;
    Ok((uploaded, bytes))
}

/// A picture as its owner gets it.
pub(super) async fn read(stage: &Stage, person: &Person, id: ObjectId) -> anyhow::Result<Vec<u8>> {
    let actor = person.actor();
    let access = Access { actor: &actor, purpose: PURPOSE };
    let open = stage.app.vault.open_object(&person.owner, &access, id, None).await?;
    Ok(open.read(MOST).await?.expose().clone())
}

/// One edit for each upload, with Pro and with Max.
pub(super) async fn edit(stage: &Stage, uploads: &[Upload]) -> anyhow::Result<(Vec<Picture>, Outcome)> {
    let app = &stage.app;
    let mut out = Outcome::default();
    let mut asked = Vec::new();
    for upload in uploads {
        let person = &upload.person;
        let prompt = format!("a warm sunset over the {}", person.prompt);
        let new =
            NewEdit { inputs: vec![upload.id], prompt, model: Some(upload.model), ..NewEdit::default() };
        let edit = app.editing.create(&person.owner, &person.actor(), new).await?;
        asked.push((person, edit));
    }
    stage.edits_end().await?;
    let mut results = Vec::new();
    let (mut succeeded, mut marked) = (true, true);
    for (person, edit) in asked {
        let edit = app.editing.get(&person.owner, edit.id).await?;
        succeeded &= edit.state == EditState::Succeeded;
        let id = edit.output.ok_or_else(|| anyhow::anyhow!("there is no result"))?;
        let bytes = read(stage, person, id).await?;
        let mark = imaging::read_mark(&bytes).map(|m| m.to_string()).unwrap_or_default();
        out.row(
            format!("{}, {}", person.called, edit.model),
            format!(
                "{}, result of {}, marked “{mark}”",
                count(edit.cost.unsigned_abs(), "credit", "credits"),
                size(bytes.len() as u64)
            ),
        );
        marked &= !mark.is_empty();
        results.push(Picture { person: person.clone(), id, sha256: crypto::sha256(&bytes) });
    }
    out.claim(succeeded, format!("all {} succeeded", results.len()));
    out.claim(marked, "each result says of itself how it was made (IPTC digital source type)");
    out.short(format!("{} edits, each result marked", results.len()));
    Ok(out.with(results))
}

/// What the provider learnt, and that nothing of it is left there.
pub(super) async fn let_go(stage: &Stage, cast: &Cast) -> anyhow::Result<((), Outcome)> {
    let mut out = Outcome::default();
    let Some(provider) = &stage.stand_in else { anyhow::bail!("there is no provider") };
    let sent = provider.last_input();
    let people = [&cast.a, &cast.b, &cast.c];
    let named =
        people.iter().any(|p| sent.contains(&p.owner.subject.to_string()) || sent.contains(&p.camera));
    out.claim(
        !sent.is_empty() && !named,
        "it was sent picture, words and settings, and nothing that says whose",
    );
    out.claim(provider.complaints().is_empty(), "it was asked nothing that the real one would refuse");
    let before = provider.held().len();
    // Replicate removes what it has by itself, an hour after the edit; FAL.AI when it is told to.
    for _ in 0..6 {
        stage.pass(TimeDelta::minutes(15)).await?;
    }
    let (charges, held) = (provider.charges(), provider.held());
    out.row("edits that it made", charges.to_string());
    out.row("pieces that it held", format!("{before}, and {} an hour and a half later", held.len()));
    out.claim(held.is_empty(), "nothing of it is left there");
    let mut proved = true;
    let mut rows = 0;
    for person in people {
        for row in stage.app.disclosures.of(&person.owner).await? {
            rows += 1;
            proved &= row.deleted_at.is_some();
            out.row(row.processor, row.proof.unwrap_or_else(|| "not seen to be gone".to_owned()));
        }
    }
    out.claim(
        rows == charges && proved,
        "the register has a row for each, and says how it is known to be gone",
    );
    out.short(format!("{} sent, 0 left there", count(charges as u64, "edit", "edits")));
    Ok(out.with(()))
}

/// Who may look at a result, and who may not.
pub(super) async fn view(stage: &Stage, cast: &Cast, results: &[Picture]) -> anyhow::Result<((), Outcome)> {
    let vault = &stage.app.vault;
    let mut out = Outcome::new("owners see theirs; others, staff and training do not");
    let mut same = true;
    for picture in results {
        let bytes = read(stage, &picture.person, picture.id).await?;
        same &= crypto::sha256(&bytes) == picture.sha256;
        out.row(
            format!("{}'s result", picture.person.called),
            format!("{}, SHA-256 {}", size(bytes.len() as u64), short(&picture.sha256)),
        );
    }
    out.claim(same, "each opens for its owner, to the byte");
    let (Some(of_a), Some(of_b)) = (of(results, &cast.a), of(results, &cast.b)) else {
        anyhow::bail!("a result is missing");
    };
    let foreign = [
        (&cast.b.owner, cast.b.actor(), "B does not find A's picture under B's own account"),
        (&cast.a.owner, cast.b.actor(), "nor under A's"),
        (&cast.c.owner, cast.c.actor(), "nor does anybody of another tenant"),
    ];
    for (owner, actor, claim) in foreign {
        let access = Access { actor: &actor, purpose: PURPOSE };
        let found = vault.open_object(owner, &access, of_a.id, None).await;
        out.claim(matches!(found, Err(vault::Error::NotFound)), claim);
    }
    let staff =
        stage.app.subjects.hire(&cast.a.owner.tenant, &"support@example.org".parse()?, Role::Support).await?;
    let actor = Actor::Staff(staff.id, staff.role);
    let access = Access { actor: &actor, purpose: "support" };
    let looked = vault.open_object(&cast.a.owner, &access, of_a.id, None).await;
    out.claim(
        matches!(looked, Err(vault::Error::Refused(_))),
        "staff are refused, and the refusal is on the ledger",
    );
    let training = Access { actor: &Actor::Service, purpose: TRAINING };
    let agreed = vault.object(&cast.a.owner, &training, of_a.id).await.is_ok();
    out.claim(agreed, "A's result may be read for training: A agreed to it");
    let silent = vault.object(&cast.b.owner, &training, of_b.id).await;
    out.claim(matches!(silent, Err(vault::Error::NoConsent { .. })), "B's may not: B said nothing");
    Ok(out.with(()))
}

/// A person's first result.
pub(super) fn of<'p>(results: &'p [Picture], person: &Person) -> Option<&'p Picture> {
    results.iter().find(|p| p.person.owner == person.owner)
}

/// The uploads are gone with the success of their edits; one that is never edited goes by the clock.
pub(super) async fn uploads_go(
    stage: &Stage,
    cast: &Cast,
    uploads: &[Upload],
) -> anyhow::Result<((), Outcome)> {
    let mut out = Outcome::default();
    let mut left = 0;
    for upload in uploads {
        left += usize::from(read(stage, &upload.person, upload.id).await.is_ok());
    }
    let blobs = stage.blobs().await?;
    out.row(
        "of the uploads",
        format!(
            "{left} of {} are left; {} in the store",
            uploads.len(),
            count(blobs as u64, "picture", "pictures")
        ),
    );
    out.claim(
        left == 0 && blobs == uploads.len(),
        "each was erased when its edit had succeeded, bytes and key",
    );
    let (waiting, _) = take_in(stage, &cast.a, sample::photograph(9, &cast.a.camera, Format::Jpeg)?).await?;
    let due = waiting.due_at.ok_or_else(|| anyhow::anyhow!("the upload has no clock"))?;
    let limit = due.since(stage.app.clock.now());
    out.row("one that nobody edits", format!("must go by {}", due.in_words()));
    out.claim(limit == TimeDelta::hours(48), "its clock says 48 hours, as the document does");
    stage.pass(limit - TimeDelta::minutes(1)).await?;
    out.claim(read(stage, &cast.a, waiting.id).await.is_ok(), "a minute before, it is still there");
    stage.pass(TimeDelta::minutes(1)).await?;
    out.claim(read(stage, &cast.a, waiting.id).await.is_err(), "on the minute, it is gone");
    let overdue: i64 =
        stage.app.retention.board(&cast.a.owner.tenant).await?.iter().map(|row| row.overdue).sum();
    out.claim(
        overdue == 0 && stage.blobs().await? == blobs,
        "nothing is past its time, and its bytes are deleted",
    );
    out.short("gone at success, and at 48 hours in any case");
    Ok(out.with(()))
}
