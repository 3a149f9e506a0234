//! What stored pictures carry, and what they say of themselves.
//!
//! A picture is opened only where the document lets the service read its category for `security`. Where it does not,
//! the program tries its own intake on photographs that are nobody's, and says so.

use tokio::task::spawn_blocking;

use super::Look;
use crate::audit::model::{count, grouped};
use crate::audit::sql::look as sql;
use crate::audit::{Error, Outcome};
use crate::base::{ObjectId, Secret, SubjectId};
use crate::blobs::BlobKey;
use crate::imaging::sample::{Shot, shoot};
use crate::imaging::{self, Carried, DigitalSourceType, Format, Limits};
use crate::policy::{Category, Form, Origin, Role};
use crate::providers::studio::{self, EditSpec};
use crate::vault::{self, Access, Actor, Owner};

const PURPOSE: &str = "security";
const EACH: i64 = 16;
const LARGEST: u64 = 64 << 20;
const CAPTION: &str = "rehearsal of the intake";

/// Looks whether stored pictures carry anything that the intake takes away.
pub(super) async fn metadata_stripped(look: &Look<'_>) -> Result<Outcome, Error> {
    let categories = openable(look, |_| true);
    if categories.is_empty() {
        let made = look.round.intake.get_or_init(|| blocking(rehearse_intake)).await;
        return Ok(made.clone());
    }
    let (checked, found) = sample(look, &categories, is_clean).await?;
    let figure =
        format!("{} of {} opened carry camera data", grouped(found), count(checked, "picture", "pictures"));
    Ok(Outcome::counted(checked, found, figure))
}

/// Looks whether the pictures that edits made carry the mark.
pub(super) async fn ai_marked(look: &Look<'_>) -> Result<Outcome, Error> {
    let categories = openable(look, |c| c.source == Origin::Derived);
    if categories.is_empty() {
        let made = look.round.mark.get_or_init(|| blocking(rehearse_mark)).await;
        return Ok(made.clone());
    }
    let marked = |bytes: &[u8]| imaging::read_mark(bytes).is_some();
    let (checked, found) = sample(look, &categories, marked).await?;
    let figure =
        format!("{} of {} opened carry no mark", grouped(found), count(checked, "result", "results"));
    Ok(Outcome::counted(checked, found, figure))
}

/// The categories of pictures that the document lets the service open to look after safety.
fn openable<'a>(look: &Look<'a>, of: fn(&Category) -> bool) -> Vec<&'a str> {
    let policy = look.policy;
    policy
        .categories()
        .filter(|c| c.form == Form::Object && of(c))
        .filter(|c| policy.may_read(&c.id, Role::Service, PURPOSE).is_ok())
        .map(|c| c.id.as_str())
        .collect()
}

/// Opens some pictures of these categories, the newest and any; gives how many, and how many of them are not as they
/// should be.
async fn sample(look: &Look<'_>, categories: &[&str], good: fn(&[u8]) -> bool) -> Result<(u64, u64), Error> {
    let rows = {
        let mut tx = look.audit.db.read().await?;
        let from = BlobKey::new(&look.audit.entropy).to_string();
        sql::objects(&mut tx, look.tenant, &from, EACH).await?
    };
    let (mut checked, mut found) = (0, 0);
    for row in rows.iter().filter(|row| categories.contains(&row.category.as_str())) {
        let Some(bytes) = open(look, &row.id, &row.subject).await? else { continue };
        let fine = spawn_blocking(move || good(bytes.expose())).await.unwrap_or(false);
        checked += 1;
        found += u64::from(!fine);
    }
    Ok((checked, found))
}

async fn open(look: &Look<'_>, id: &str, subject: &str) -> Result<Option<Secret<Vec<u8>>>, Error> {
    let (Ok(id), Ok(subject)) = (id.parse::<ObjectId>(), subject.parse::<SubjectId>()) else {
        return Ok(None);
    };
    let access = Access { actor: &Actor::Service, purpose: PURPOSE };
    let opened = look.audit.vault.open_object(&Owner::new(look.tenant, subject), &access, id, None).await;
    match opened {
        Ok(picture) => Ok(Some(picture.read(LARGEST).await?)),
        Err(
            vault::Error::NotFound
            | vault::Error::Restricted
            | vault::Error::Erasing
            | vault::Error::NoConsent { .. },
        ) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Whether a picture is, byte for byte, what the intake would leave of it: stripped, or marked and nothing else.
fn is_clean(bytes: &[u8]) -> bool {
    let Ok(inspected) = imaging::inspect(bytes, &Limits::default()) else { return false };
    let again = match inspected.mark {
        Some(mark) => imaging::mark(bytes, mark),
        None => imaging::strip(bytes, &inspected),
    };
    again.is_ok_and(|again| again == bytes)
}

fn photograph(format: Format) -> Option<Vec<u8>> {
    shoot(&Shot { caption: CAPTION, format, width: 64, height: 48, ..Shot::default() }).ok()
}

async fn blocking(work: fn() -> Outcome) -> Outcome {
    spawn_blocking(work).await.unwrap_or_else(|_| Outcome::cannot_run("the rehearsal broke off"))
}

/// Sends photographs that carry a position and a caption through the intake.
fn rehearse_intake() -> Outcome {
    let mut found = 0;
    for format in Format::ALL {
        let Some(dirty) = photograph(format) else {
            return Outcome::cannot_run("a test photograph could not be drawn");
        };
        let Ok(inspected) = imaging::inspect(&dirty, &Limits::default()) else {
            return Outcome::cannot_run("a test photograph was not taken in");
        };
        // A photograph without a position would prove nothing.
        if !inspected.has(Carried::Gps) || is_clean(&dirty) {
            return Outcome::cannot_run("a test photograph carries nothing to remove");
        }
        let stripped = imaging::strip(&dirty, &inspected).unwrap_or_default();
        let told = stripped.windows(CAPTION.len()).any(|w| w == CAPTION.as_bytes());
        found += u64::from(told || !is_clean(&stripped));
    }
    let all = Format::ALL.len() as u64;
    let figure = format!(
        "{} of {} test photographs kept camera data on the way in; stored pictures are opened for nobody, not for this check",
        grouped(found),
        grouped(all)
    );
    Outcome::counted(all, found, figure)
}

/// Edits test photographs, and marks one as a model's work.
fn rehearse_mark() -> Outcome {
    let mut found = 0;
    for format in Format::ALL {
        let Some(picture) = photograph(format) else {
            return Outcome::cannot_run("a test photograph could not be drawn");
        };
        let spec = EditSpec { output_format: format, ..EditSpec::default() };
        let edited = studio::edit(&picture, &spec).ok().and_then(|made| imaging::read_mark(&made.bytes));
        let model = DigitalSourceType::CompositeWithTrainedAlgorithmicMedia;
        let marked = imaging::mark(&picture, model).ok().and_then(|bytes| imaging::read_mark(&bytes));
        found += u64::from(edited.is_none()) + u64::from(marked != Some(model));
    }
    let all = Format::ALL.len() as u64 * 2;
    let figure = format!(
        "{} of {} test edits came out without the mark; stored results are opened for nobody, not for this check",
        grouped(found),
        grouped(all)
    );
    Outcome::counted(all, found, figure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Verdict;

    #[test]
    fn the_rehearsals_pass_and_a_photograph_as_it_came_does_not() {
        let intake = rehearse_intake();
        assert_eq!(intake.verdict, Verdict::Passed, "{}", intake.figure);
        let mark = rehearse_mark();
        assert_eq!(mark.verdict, Verdict::Passed, "{}", mark.figure);
        for format in Format::ALL {
            assert!(!is_clean(&photograph(format).unwrap()), "{format}");
        }
    }
}
