//! Vouching for what only people can do: the form, what was shown before, and the files.

use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, Path};
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse as _;

use super::promises::promise;
use super::seat::Seat;
use super::shell::{Answer, page, see_other};
use crate::audit::{Attached, Error, Exhibit, LARGEST_FILE, RuleState, Vouched};
use crate::base::{EntryId, Kind};
use crate::edge::Fault;
use crate::subjects::StaffMember;
use crate::web::evidence::link;
use crate::web::view::{Mistake, Mistakes, Size, Typed, Vouching, WordRow};

/// Words that are shown of an attestation.
const WORDS: u16 = 20;
/// What a form may be besides the file.
pub(super) const LARGEST_FORM: usize = LARGEST_FILE + (256 << 10);

/// What is known of an attestation, and the form for the next word.
pub(super) async fn of(seat: &Seat, rule: &RuleState, typed: Typed) -> Result<Vouching, Fault> {
    let audit = &seat.edge.app.audit;
    let name = rule.rule.strip_prefix("attestation.").unwrap_or_default();
    let all = audit.attestations(&seat.tenant).await?;
    let stands = all.into_iter().find(|v| v.attestation == name).ok_or_else(|| Fault::new(Kind::NotFound))?;
    let mut words = Vec::new();
    for word in audit.vouched(&seat.tenant, name, WORDS).await? {
        words.push(row(seat, &rule.rule, word).await?);
    }
    Ok(Vouching {
        owner: stands.owner,
        wanted: stands.wanted,
        due: stands.due.into(),
        words,
        typed,
        largest: Size(LARGEST_FILE as u64).to_string(),
    })
}

async fn row(seat: &Seat, rule: &str, word: Vouched) -> Result<WordRow, Fault> {
    let audit = &seat.edge.app.audit;
    let opening = audit.evidence(&seat.tenant, word.entry).await?;
    let text = opening.details().get("evidence").and_then(serde_json::Value::as_str).unwrap_or_default();
    let file = opening.details().pointer("/file/name").and_then(serde_json::Value::as_str);
    let href = || format!("{}/desk/promises/{rule}/evidence/{}", seat.root(), word.entry);
    Ok(WordRow {
        at: word.at.into(),
        by: name(seat, &word).await,
        text: text.to_owned(),
        file: file.filter(|_| word.file).map(|name| (name.to_owned(), href())),
        proof: word.place.map(|place| link(&seat.tenant, place)),
    })
}

/// The address of whoever vouched; their number once they have left.
async fn name(seat: &Seat, word: &Vouched) -> String {
    let member = StaffMember { id: word.staff, ..seat.staff.staff.clone() };
    let address = seat.edge.app.subjects.staff_address(&member).await;
    address.map_or_else(|_| word.staff.to_string(), |email| email.expose().to_owned())
}

/// `POST /desk/promises/{rule}/attest`, multipart (`csrf`, `evidence`, `file`): somebody vouches.
pub(super) async fn attest(
    Path((_, rule)): Path<(String, String)>,
    seat: Seat,
    uri: Uri,
    mut sent: Multipart,
) -> Answer {
    let attestation = rule.strip_prefix("attestation.").ok_or_else(|| Fault::new(Kind::NotFound))?;
    let shown = read(&seat, &mut sent).await?;
    let typed = Typed { evidence: shown.text.clone() };
    let app = &seat.edge.app;
    match app.audit.attest(&seat.tenant, attestation, seat.staff.staff.id, shown).await {
        Ok(_) => {
            app.ledger.sequence().await?;
            Ok(see_other(&seat, &format!("/promises/{rule}"), "attested"))
        }
        Err(Error::Evidence(says)) => {
            let field = if says.starts_with("a file") { "file" } else { "evidence" };
            let mistake = Mistake { field: field.to_owned(), says: sentence(says) };
            let again = promise(&seat, &rule, &uri, (typed, Mistakes(vec![mistake]))).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn sentence(says: &str) -> String {
    let mut chars = says.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if says.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

/// Reads the form. The token comes before the file, so that a stranger's page cannot make us hold one.
async fn read(seat: &Seat, sent: &mut Multipart) -> Result<Exhibit, Fault> {
    let (mut shown, mut ours) = (Exhibit::default(), false);
    while let Some(field) = sent.next_field().await.map_err(unread)? {
        match field.name().unwrap_or_default() {
            "csrf" => ours = seat.sent_by_us(&field.text().await.map_err(unread)?),
            _ if !ours => return Err(super::seat::strange()),
            "evidence" => shown.text = field.text().await.map_err(unread)?,
            "file" => shown.file = file(field).await.map_err(unread)?,
            _ => {}
        }
    }
    if ours { Ok(shown) } else { Err(super::seat::strange()) }
}

/// A file, if one was chosen: a browser sends an empty one without a name otherwise.
async fn file(field: Field<'_>) -> Result<Option<Attached>, MultipartError> {
    let name = field.file_name().unwrap_or_default().to_owned();
    let bytes: Bytes = field.bytes().await?;
    let chosen = !name.is_empty() || !bytes.is_empty();
    Ok(chosen.then(|| Attached { name, bytes: bytes.to_vec() }))
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn unread(error: MultipartError) -> Fault {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Fault::because(
            Kind::TooLarge,
            format!("a file of evidence is at most {}", Size(LARGEST_FILE as u64)),
        );
    }
    Fault::because(Kind::Malformed, "the form did not arrive whole; send it once more")
}

/// `GET /desk/promises/{rule}/evidence/{entry}`: the file that was shown, to keep.
pub(super) async fn evidence(Path((_, rule, entry)): Path<(String, String, String)>, seat: Seat) -> Answer {
    let gone = || Fault::new(Kind::NotFound);
    let entry: EntryId = entry.parse().map_err(|_| gone())?;
    let audit = &seat.edge.app.audit;
    let name = rule.strip_prefix("attestation.").ok_or_else(gone)?;
    let words = audit.vouched(&seat.tenant, name, u16::MAX).await?;
    words.iter().find(|word| word.entry == entry).ok_or_else(gone)?;
    let file = audit.attached(&seat.tenant, entry).await?;
    let ascii = |c: char| if c.is_ascii() && !c.is_ascii_control() { c } else { '_' };
    let name: String = file.name.chars().map(ascii).collect();
    let headers = [
        // Whatever it is, no browser opens it here.
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, file.bytes).into_response())
}
