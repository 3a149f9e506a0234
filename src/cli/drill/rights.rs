//! Every right, in every way in which it can be used, by somebody invented, and the proof of each.

use std::io::Cursor;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::http::Method;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::claims::Claims;
use super::restore::Home;
use super::town::{Person, TENANT, TRAINING, Town};
use super::visitor::Visitor;
use super::ways::{OBJECTABLE, Way};
use crate::archive;
use crate::base::{Entropy, ReceiptId};
use crate::cli::Say;
use crate::cli::needles;
use crate::cli::say::{count, size};
use crate::edge::Edge;
use crate::jobs::Jobs;
use crate::ledger::Receipt;
use crate::policy::Right;
use crate::requests::{Request, State};
use crate::subjects::Scope;
use crate::vault::{self, Access, Actor};
use crate::{http, web};

const CLOSED: &str = "every request is closed as fulfilled, within the promised time";
const RECEIPT: &str = "every request ends with a receipt that verifies offline; changed, it does not";
const ARCHIVE: &str =
    "an archive is whole and has its person's words and pictures; with a bit changed, it is refused";
const CORRECTED: &str = "what was corrected reads corrected";
const ERASED: &str = "whoever was erased is unknown, and nothing of theirs opens";
const TRACES: &str = "no file holds a word of anybody who was erased";
const PAUSED: &str = "what is restricted is read for no purpose, and by its owner all the same";
const OBJECTED: &str = "what was objected to was on, and is off";
const WITHDRAWN: &str = "what was taken back was allowed, and is refused in the same second";
const ALONE: &str = "an app's word alone releases and erases nothing";

const CLAIMS: [&str; 10] =
    [CLOSED, RECEIPT, ARCHIVE, CORRECTED, ERASED, TRACES, PAUSED, OBJECTED, WITHDRAWN, ALONE];

/// How the drill goes.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Options {
    /// What chance begins with; the same seed invents the same people
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Keep the installation in this new folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Leave a file with the name of somebody who was erased: to see that this is found, and the drill fails
    #[arg(long)]
    leave_a_trace: bool,
}

/// A right that was used.
struct Used {
    right: Right,
    way: Way,
    took: Duration,
    proof: String,
}

/// Runs the drill. Whether everything held.
pub(super) async fn run(options: &Options, say: &mut Say) -> anyhow::Result<bool> {
    let home = Home::of(options.keep.as_deref())?;
    let seed = options.seed.unwrap_or_else(|| u64::from(u32::from_be_bytes(Entropy::system().bytes())));
    say.title("vouchsafe drill rights");
    say.prose(
        "A throw-away installation, invented people, a clock of their own. Each uses one right in one way, from the first \
         page to the proof.",
    );
    say.gap();
    say.row("seed", seed.to_string());
    let mut claims = Claims::of(&CLAIMS);
    let folder = home.path().join("rights");
    let drilled = Box::pin(drill(&folder, seed, options, &mut claims)).with_subscriber(NoSubscriber::new());
    let (used, searched) = drilled.await?;
    say.gap();
    let row = |u: &Used| {
        let took = format!("{} ms", u.took.as_millis());
        vec![u.right.to_string(), u.way.in_words().to_owned(), took, u.proof.clone()]
    };
    say.table(&["right", "how", "took", "proof"], &used.iter().map(row).collect::<Vec<_>>());
    say.note(&format!("{} searched for the words of everybody who was erased.", size(searched)));
    say.gap();
    claims.show(say);
    say.gap();
    let held = claims.hold();
    say.title(if held { "Everything held: every right, in every way." } else { "Not everything held." });
    Ok(held)
}

async fn drill(
    folder: &std::path::Path,
    seed: u64,
    options: &Options,
    claims: &mut Claims,
) -> anyhow::Result<(Vec<Used>, u64)> {
    let mut town = Town::found(folder, seed).await?;
    let edge = Edge::new(town.app.clone()).await?;
    let routes = http::routes(&edge).merge(web::router(edge));
    let mut used = Vec::new();
    for right in Right::ALL {
        for way in Way::ALL {
            let tried = one(&mut town, &routes, (*right, way), claims).await;
            used.push(tried.with_context(|| format!("{right}, {}", way.in_words()))?);
        }
        app_alone(&mut town, &routes, *right, claims).await?;
    }
    let searched = traces(&town, options, claims)?;
    town.stop().await;
    Ok((used, searched))
}

/// One right, used in one way by somebody who came for it.
async fn one(
    town: &mut Town,
    routes: &Router,
    (right, way): (Right, Way),
    claims: &mut Claims,
) -> anyhow::Result<Used> {
    town.arrive().await?;
    let n = town.people.len().saturating_sub(1);
    let here = &*town;
    let who = here.people.get(n).context("nobody came")?;
    before(here, who, right, claims).await?;
    let began = Instant::now();
    let mut visitor = way.comes_in(here, routes, who).await?;
    let new_name = format!("mended{}", who.word);
    let filed = way.file(here, &mut visitor, (who, right), &new_name).await?;
    Jobs::new(here.app.clone()).settle().await?;
    let archive = match right {
        Right::Access | Right::Portability => Some(way.fetch(&mut visitor, &filed).await?.body),
        _ => None,
    };
    let took = began.elapsed();
    let what = || format!("{right}, {}", way.in_words());
    let request = here.app.requests.find(&who.owner.tenant, filed.id).await?;
    let fulfilled = request.state == State::Closed && request.outcome.as_deref() == Some("fulfilled");
    let in_time = request.answered_at.or(request.closed_at).is_some_and(|at| at <= request.due.promise);
    claims.look(CLOSED, fulfilled && in_time, || format!("{}: {}", what(), request.state.as_str()));
    let proof = receipt(here, &request, claims).await?;
    after(here, who, (right, way), (&new_name, archive), claims).await?;
    if right == Right::Erasure
        && let Some(person) = town.people.get_mut(n)
    {
        person.gone = Some(town.step);
    }
    Ok(Used { right, way, took, proof })
}

fn as_service(purpose: &str) -> Access<'_> {
    Access { actor: &Actor::Service, purpose }
}

/// What must be so before a right is used, for its effect to be one.
async fn before(town: &Town, who: &Person, right: Right, claims: &mut Claims) -> anyhow::Result<()> {
    let app = &town.app;
    let picture = who.pictures.first().context("no picture")?;
    match right {
        Right::Withdrawal => {
            let allowed = app.vault.object(&who.owner, &as_service(TRAINING), picture.id).await.is_ok();
            claims.look(WITHDRAWN, allowed, || "it was refused before".to_owned());
        }
        Right::Objection => {
            let on = is_on(town, who, OBJECTABLE).await?;
            claims.look(OBJECTED, on, || "it was off before".to_owned());
        }
        Right::Restriction => {
            let read = app.vault.object(&who.owner, &as_service("provide-edits"), picture.id).await.is_ok();
            claims.look(PAUSED, read, || "it could not be read before".to_owned());
        }
        _ => {}
    }
    Ok(())
}

async fn is_on(town: &Town, who: &Person, purpose: &str) -> anyhow::Result<bool> {
    let choices = town.app.consents.choices(&who.owner).await?;
    Ok(choices.iter().any(|c| c.purpose == purpose && c.on))
}

/// What must be so after.
async fn after(
    town: &Town,
    who: &Person,
    (right, way): (Right, Way),
    (new_name, archive): (&str, Option<Vec<u8>>),
    claims: &mut Claims,
) -> anyhow::Result<()> {
    let app = &town.app;
    let picture = who.pictures.first().context("no picture")?;
    let what = || format!("{right}, {}", way.in_words());
    match right {
        Right::Access | Right::Portability => {
            let bytes = archive.unwrap_or_default();
            claims.look(ARCHIVE, home_is_whole(town, who, &bytes)?, what);
        }
        Right::Rectification => {
            let actor = Actor::Subject(who.owner.subject);
            let access = Access { actor: &actor, purpose: "account" };
            let profile = app.subjects.profile(&who.owner, &access).await?;
            claims.look(CORRECTED, profile.name == new_name, what);
        }
        Right::Erasure => {
            let unknown = app.subjects.get(&who.owner).await.is_err();
            let opens = town.read(&who.owner, picture.id).await.is_ok();
            claims.look(ERASED, unknown && !opens, what);
        }
        Right::Restriction => {
            let read = app.vault.object(&who.owner, &as_service("provide-edits"), picture.id).await;
            let own = town.read(&who.owner, picture.id).await.is_ok();
            claims.look(PAUSED, matches!(read, Err(vault::Error::Restricted)) && own, what);
        }
        Right::Objection => claims.look(OBJECTED, !is_on(town, who, OBJECTABLE).await?, what),
        Right::Withdrawal => {
            let read = app.vault.object(&who.owner, &as_service(TRAINING), picture.id).await;
            claims.look(WITHDRAWN, matches!(read, Err(vault::Error::NoConsent { .. })), what);
        }
    }
    Ok(())
}

/// Whether an archive is whole by the published key, has what its person handed in, and is refused once it is changed.
fn home_is_whole(town: &Town, who: &Person, bytes: &[u8]) -> anyhow::Result<bool> {
    let key = town.app.requests.archive_key();
    let report = archive::verify(Cursor::new(bytes), Some(&key));
    if !report.is_whole() || report.images == 0 {
        return Ok(false);
    }
    let mut archive = archive::Archive::open(Cursor::new(bytes), Some(&key))?;
    let paths: Vec<String> = archive.manifest().files.iter().map(|f| f.path.clone()).collect();
    let mut everything = Vec::new();
    for path in paths {
        archive.copy(&path, &mut everything)?;
    }
    let mut changed = bytes.to_vec();
    let middle = changed.len() / 2;
    if let Some(byte) = changed.get_mut(middle) {
        *byte ^= 1;
    }
    let refused = !archive::verify(Cursor::new(changed), Some(&key)).is_whole();
    Ok(needles::holds(&everything, &who.word) && refused)
}

/// The receipt of a request, checked from its text and the published key alone. Gives the words of it for the table.
async fn receipt(town: &Town, request: &Request, claims: &mut Claims) -> anyhow::Result<String> {
    let Some(id) = request.receipt else {
        claims.look(RECEIPT, false, || format!("{} has none", request.right));
        return Ok("none".to_owned());
    };
    let (text, index) = verified(town, id).await?;
    let forged = text.replace(TENANT, "flux-kontexx");
    let key = town.app.ledger.verifier();
    let refused = forged != text && Receipt::parse(&forged).and_then(|r| r.verify(key, &[])).is_err();
    claims.look(RECEIPT, index.is_some() && refused, || format!("the receipt of {}", request.right));
    Ok(index.map_or_else(|| "not good".to_owned(), |n| format!("ledger entry {n}")))
}

async fn verified(town: &Town, id: ReceiptId) -> anyhow::Result<(String, Option<u64>)> {
    let (_, receipt) = town.app.requests.receipt(id).await?;
    let text = receipt.to_text()?;
    let found = Receipt::parse(&text).and_then(|r| r.verify(town.app.ledger.verifier(), &[]));
    Ok((text, found.ok().map(|v| v.index)))
}

/// The same right asked for by an app with its key, for somebody who has not said that it is they.
async fn app_alone(
    town: &mut Town,
    routes: &Router,
    right: Right,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    if !matches!(right, Right::Access | Right::Portability | Right::Erasure) {
        return Ok(());
    }
    town.arrive().await?;
    let who = town.people.last().context("nobody came")?;
    let subjects = &town.app.subjects;
    let minted = subjects.mint_api_key(&who.owner.tenant, "app", &[Scope::Rights], None).await?;
    let (key, subject) = (format!("Bearer {}", minted.text.expose()), who.owner.subject.to_string());
    let dress = [
        ("authorization", key.as_str()),
        ("vouchsafe-subject", subject.as_str()),
        ("content-type", "application/json"),
    ];
    let wish = serde_json::json!({ "right": right.as_str() }).to_string();
    let mut app = Visitor::new(routes);
    let filed = app.call(Method::POST, "/v1/requests", &dress, Body::from(wish)).await?.json()?;
    Jobs::new(town.app.clone()).settle().await?;
    let id = filed.get("id").and_then(|id| id.as_str()).unwrap_or_default();
    let archive = app.call(Method::GET, &format!("/v1/requests/{id}/archive"), &dress, Body::empty()).await?;
    let waits = filed.get("state").and_then(|s| s.as_str()) == Some("identity-pending");
    let picture = who.pictures.first().context("no picture")?;
    let there = town.read(&who.owner, picture.id).await.is_ok();
    claims.look(ALONE, waits && there && !archive.status.is_success(), || format!("{right}: {filed}"));
    Ok(())
}

/// Every byte of the installation is searched for the words of the erased, after a planted one was found.
fn traces(town: &Town, options: &Options, claims: &mut Claims) -> anyhow::Result<u64> {
    let gone: Vec<&str> = town.people.iter().filter(|p| p.gone.is_some()).map(|p| p.word.as_str()).collect();
    let first = gone.first().copied().unwrap_or_default();
    let control = town.data.join("planted-as-a-control");
    std::fs::write(&control, first)?;
    let planted = needles::search(&town.data, &gone)?;
    std::fs::remove_file(&control)?;
    let found = planted.found.iter().any(|(_, path)| *path == control);
    claims.look(TRACES, found, || "the control was not found: the search finds nothing".to_owned());
    if options.leave_a_trace {
        std::fs::write(town.data.join("forgotten-export.csv"), format!("name\n{first}\n"))?;
    }
    let seen = needles::search(&town.data, &gone)?;
    let places = || {
        let places: Vec<String> = seen.found.iter().map(|(_, path)| path.display().to_string()).collect();
        format!("{} in {}", count(places.len() as u64, "trace", "traces"), places.join(", "))
    };
    claims.look(TRACES, seen.found.is_empty(), places);
    Ok(seen.bytes)
}
