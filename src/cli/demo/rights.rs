//! The smaller rights: a correction, a withdrawal, a restriction, an objection.

use super::cast::{Cast, TRAINING};
use super::pictures::{self, Picture};
use super::stage::Stage;
use super::take_home::{self, file};
use super::tell::Outcome;
use crate::base::ReceiptId;
use crate::editing::{self, NewEdit};
use crate::imaging::{Format, sample};
use crate::requests::{Ask, Request, State};
use crate::subjects::Profile;
use crate::vault::{self, Access, Actor};

fn done(request: &Request) -> bool {
    request.state == State::Closed
        && request.outcome.as_deref() == Some("fulfilled")
        && request.receipt.is_some()
}

/// A corrects their name.
pub(super) async fn correct(stage: &Stage, cast: &Cast) -> anyhow::Result<((), Outcome)> {
    let (app, a) = (&stage.app, &cast.a);
    let mut out = Outcome::new("corrected, old and new value sealed as evidence");
    let actor = a.actor();
    let access = Access { actor: &actor, purpose: "rights" };
    let before = app.subjects.profile(&a.owner, &access).await?;
    let new = Profile { name: a.new_name.clone(), ..before.clone() };
    let request = file(stage, a, Ask::Rectification(Some(new))).await?;
    take_home::clocks(stage, &request, &mut out);
    let after = app.subjects.profile(&a.owner, &access).await?;
    out.row("name", format!("{} → {}", before.name, after.name));
    out.claim(
        after.name == a.new_name && after.email == before.email,
        "the new name is read from now on, and nothing else changed",
    );
    out.claim(done(&request), "the request is closed with a receipt");
    Ok(out.with(()))
}

/// A takes the consent back; what needed it is refused from the same second. Gives the receipt.
pub(super) async fn withdraw(
    stage: &Stage,
    cast: &Cast,
    results: &[Picture],
) -> anyhow::Result<(ReceiptId, Outcome)> {
    let (app, a) = (&stage.app, &cast.a);
    let mut out = Outcome::new("refused from the same second");
    let picture = pictures::of(results, a).ok_or_else(|| anyhow::anyhow!("there is no result of A's"))?;
    let training = Access { actor: &Actor::Service, purpose: TRAINING };
    let could = app.vault.object(&a.owner, &training, picture.id).await.is_ok();
    let request = file(stage, a, Ask::Withdrawal { purpose: TRAINING.to_owned() }).await?;
    let refused = app.vault.object(&a.owner, &training, picture.id).await;
    let still = pictures::read(stage, a, picture.id).await.is_ok();
    take_home::clocks(stage, &request, &mut out);
    out.claim(could, "before, A's result could be read for training");
    out.claim(
        matches!(refused, Err(vault::Error::NoConsent { .. })),
        "in the same second it is refused, and the refusal is on the ledger",
    );
    out.claim(still, "A's own access is as before: a withdrawal costs nothing else");
    out.claim(done(&request), "the request is closed with a receipt");
    let receipt = request.receipt.ok_or_else(|| anyhow::anyhow!("there is no receipt"))?;
    Ok(out.with(receipt))
}

/// B has their data kept and not used, then used again.
pub(super) async fn restrict(stage: &Stage, cast: &Cast) -> anyhow::Result<((), Outcome)> {
    let b = &cast.b;
    let mut out = Outcome::new("nothing runs while restricted, all is kept");
    let (uploaded, _) = pictures::take_in(stage, b, sample::photograph(7, &b.camera, Format::Jpeg)?).await?;
    let wish =
        || NewEdit { inputs: vec![uploaded.id], prompt: format!("sepia {}", b.prompt), ..NewEdit::default() };
    let actor = b.actor();
    let ask = || stage.app.editing.create(&b.owner, &actor, wish());
    let on = file(stage, b, Ask::Restriction { on: true }).await?;
    let refused = ask().await;
    out.claim(done(&on), "B asked that their data only be kept");
    let restricted = matches!(refused, Err(editing::Error::Vault(vault::Error::Restricted)));
    out.claim(restricted, "an edit is refused in the same second");
    out.claim(pictures::read(stage, b, uploaded.id).await.is_ok(), "B still sees what is theirs");
    let off = file(stage, b, Ask::Restriction { on: false }).await?;
    let edit = ask().await?;
    stage.edits_end().await?;
    let edited = stage.app.editing.get(&b.owner, edit.id).await?.output.is_some();
    out.claim(done(&off) && edited, "lifted by B, the same edit goes through");
    Ok(out.with(()))
}

/// C objects to being studied, at the other tenant.
pub(super) async fn object(stage: &Stage, cast: &Cast) -> anyhow::Result<((), Outcome)> {
    let (app, c) = (&stage.app, &cast.c);
    let mut out = Outcome::new("on by interest, off by objection, what was counted stays out");
    let on = async |purpose: &str| -> anyhow::Result<bool> {
        let choices = app.consents.choices(&c.owner).await?;
        Ok(choices.iter().any(|choice| choice.purpose == purpose && choice.on))
    };
    let before = on("improvement").await?;
    let counted = usage(stage, cast).await?;
    let request = file(stage, c, Ask::Objection { purpose: "improvement".to_owned() }).await?;
    let after = on("improvement").await?;
    let (uploaded, _) = pictures::take_in(stage, c, sample::photograph(8, &c.camera, Format::Png)?).await?;
    let new =
        NewEdit { inputs: vec![uploaded.id], prompt: format!("night {}", c.prompt), ..NewEdit::default() };
    let edit = app.editing.create(&c.owner, &c.actor(), new).await?;
    stage.edits_end().await?;
    let edited = app.editing.get(&c.owner, edit.id).await?.output.is_some();
    let now = usage(stage, cast).await?;
    out.row("records of use", format!("{counted} before the objection, {now} after one more edit"));
    out.claim(before && !after, "it was on by the house's interest, and is off by C's objection");
    out.claim(edited && counted > 0 && now <= counted, "what C does now is no longer counted");
    out.claim(done(&request), "the request is closed with a receipt");
    Ok(out.with(()))
}

async fn usage(stage: &Stage, cast: &Cast) -> anyhow::Result<i64> {
    let holdings = stage.app.vault.holdings(&cast.c.owner).await?;
    Ok(holdings.iter().find(|h| h.category == "usage").map_or(0, |h| h.records))
}
