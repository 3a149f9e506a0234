//! Every right, in every way in which it can be used, by somebody invented, and the proof of each.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use chrono::TimeDelta;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::between::ALONE;
use super::case::Case;
use super::claims::Claims;
use super::desk;
use super::effects::{
    self, ARCHIVE, CLOSED, CORRECTED, ERASED, LETTERS, OBJECTED, PAUSED, RECEIPT, WITHDRAWN,
};
use super::restore::Home;
use super::town::{TENANT, Town};
use super::ways::Way;
use crate::base::Entropy;
use crate::cli::Say;
use crate::cli::needles;
use crate::cli::say::{count, size};
use crate::edge::Edge;
use crate::policy::{Right, RightRule};
use crate::requests::{Request, State};
use crate::{http, web};

const TRACES: &str = "no file holds a word of anybody who was erased";
const BETWEEN: &str = "who asks for somebody is told how it stands, and gets nothing that it brings to light";

const CLAIMS: [&str; 12] = [
    CLOSED, RECEIPT, LETTERS, ARCHIVE, CORRECTED, ERASED, TRACES, PAUSED, OBJECTED, WITHDRAWN, ALONE, BETWEEN,
];

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
    /// What passed on the service's own clock until it was answered.
    passed: TimeDelta,
    proof: String,
}

impl Used {
    fn row(&self) -> Vec<String> {
        let passed = match self.passed.num_hours() {
            0 => "at once".to_owned(),
            hours => format!("after {hours} h"),
        };
        let took = format!("{} ms", self.took.as_millis());
        vec![self.right.to_string(), self.way.in_words().to_owned(), took, passed, self.proof.clone()]
    }
}

/// What the drill went through.
#[derive(Default)]
struct Drilled {
    used: Vec<Used>,
    /// Which rights cannot be used in which way.
    left_out: Vec<(Way, Vec<Right>)>,
    /// Bytes that were searched.
    searched: u64,
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
    let drilled = drilled.await?;
    say.gap();
    let head = ["right", "how", "took", "answered", "proof"];
    say.table(&head, &drilled.used.iter().map(Used::row).collect::<Vec<_>>());
    for (way, rights) in &drilled.left_out {
        let rights: Vec<&str> = rights.iter().map(|right| right.as_str()).collect();
        say.note(&format!("Not {}: {}, which cannot be used so.", way.in_words(), rights.join(", ")));
    }
    say.note(&format!("{} searched for the words of everybody who was erased.", size(drilled.searched)));
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
) -> anyhow::Result<Drilled> {
    let mut town = Town::found(folder, seed).await?;
    let edge = Edge::new(town.app.clone()).await?;
    let routes = http::routes(&edge).merge(web::router(edge));
    let rules: Vec<RightRule> = town.app.vault.policy(&TENANT.parse()?)?.rights().cloned().collect();
    let mut drilled = Drilled::default();
    for right in Right::ALL {
        let rule = rules.iter().find(|rule| rule.right == *right);
        let rule = rule.with_context(|| format!("the document of the drill does not name {right}"))?;
        for way in Way::ALL.into_iter().filter(|way| way.is_for(rule)) {
            let tried = Box::pin(one(&mut town, &routes, (*right, way), claims)).await;
            drilled.used.push(tried.with_context(|| format!("{right}, {}", way.in_words()))?);
        }
    }
    for way in Way::ALL {
        let cannot = rules.iter().filter(|rule| !way.is_for(rule)).map(|rule| rule.right);
        drilled.left_out.push((way, cannot.collect()));
    }
    drilled.left_out.retain(|(_, rights)| !rights.is_empty());
    drilled.searched = traces(&town, options, claims)?;
    town.stop().await;
    Ok(drilled)
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
    let case = Case { town: here, routes, who, right };
    effects::before(&case, claims).await?;
    let letters = here.app.post.sent().len();
    let began = Instant::now();
    let mut visitor = way.comes_in(&case).await?;
    let filed = way.file(&case, &mut visitor, claims).await?;
    carried_out(&case, &filed.request).await?;
    let archive = match right {
        Right::Access | Right::Portability => {
            Some(way.fetch(&case, &mut visitor, &filed.request).await?.body)
        }
        _ => None,
    };
    let took = began.elapsed();
    let request = case.found(filed.request.id).await?;
    effects::closed(&request, way.in_words(), claims);
    effects::letters(&case, &request, (letters, way.in_words()), claims);
    let proof = effects::receipt(here, &request, claims).await?;
    effects::after(&case, way.in_words(), archive, claims).await?;
    if let Some(between) = &filed.between {
        let only = between.only_hears(&case, &request).await?;
        claims.look(BETWEEN, only, || format!("{right}, {}", way.in_words()));
    }
    let answered = request.answered_at.or(request.closed_at);
    let passed = answered.map_or(TimeDelta::zero(), |at| at.since(request.received_at));
    if right == Right::Erasure
        && let Some(person) = town.people.get_mut(n)
    {
        person.gone = Some(town.step);
    }
    Ok(Used { right, way, took, passed, proof })
}

/// What follows once something is filed: at once, at the desk where only words say what is wrong, or when the time is over
/// in which an erasure can be taken back.
async fn carried_out(case: &Case<'_>, filed: &Request) -> anyhow::Result<()> {
    case.settle().await?;
    let request = case.found(filed.id).await?;
    match (request.state, request.grace_until) {
        (State::Grace, Some(until)) => case.town.pass_until(until),
        (State::Working, _) if request.right == Right::Rectification => desk::correct(case, &request).await?,
        _ => return Ok(()),
    }
    case.settle().await
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
