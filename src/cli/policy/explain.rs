use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use super::found::{self, Event};
use crate::app::App;
use crate::base::{SubjectId, TenantId, Timestamp};
use crate::cli::place::Place;
use crate::cli::say::{Say, count};
use crate::cli::{Variables, status};
use crate::policy::plan::{Said, explain};
use crate::policy::{Due, Governed, Policy, governing_after};
use crate::vault::{ItemId, Trace};

/// Why a thing is here, or went.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The picture or record: `obj_…`, `rec_…`
    id: ItemId,
    /// Look in this tenant only
    #[arg(long)]
    tenant: Option<TenantId>,
    /// Make sure that it is this person's
    #[arg(long)]
    subject: Option<SubjectId>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What a version's rule says of it, with the clause that promises it.
#[derive(Debug, Serialize)]
struct Reading {
    version: String,
    #[serde(flatten)]
    said: Said,
    promised: String,
}

/// A hold that keeps it.
#[derive(Debug, Serialize)]
struct Kept {
    hold: String,
    review: Timestamp,
}

/// A copy of it at a recipient.
#[derive(Debug, Serialize)]
struct Copy {
    processor: String,
    sent: Timestamp,
    due: Option<Timestamp>,
    gone: Option<Timestamp>,
    proof: Option<String>,
}

/// How it stands, if it is here.
#[derive(Debug, Serialize)]
struct Here {
    subject: String,
    category: String,
    title: String,
    state: String,
    since: Timestamp,
    collected_under: String,
    in_force: String,
    goes: Option<Timestamp>,
    rule: Option<String>,
    decided_by: Option<String>,
    why: String,
    law_keeps_until: Option<Timestamp>,
    readings: Vec<Reading>,
    holds: Vec<Kept>,
    copies: Vec<Copy>,
}

/// All that is known of it.
#[derive(Debug, Serialize)]
struct Known {
    id: String,
    tenant: String,
    here: Option<Here>,
    events: Vec<Event>,
    /// Bytes in the tenant's store whose key is gone and whose first deletion is still owed.
    bytes_waiting: i64,
    /// Ledger entries that are not in the tree yet.
    entries_waiting: u64,
    /// The ledger's key, by which its receipts are checked.
    verifier_key: String,
}

pub(super) async fn run(args: &Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let app = args.place.open(variables).await?;
    let tenants = args.tenant.clone().map_or_else(|| app.library.tenants(), |tenant| vec![tenant]);
    let mut known = None;
    for tenant in &tenants {
        if let Some(found) = known_of(&app, tenant, args.id).await? {
            known = Some(found);
            break;
        }
    }
    app.close().await;
    let Some(known) = known else {
        if args.json {
            say.line("null");
        } else {
            say.title(&args.id.to_string());
            say.note(
                "Nothing is known of it here. Its ledger entry may still wait to be taken in: try again in a second. A \
                 record that went with its whole person left no entry of its own.",
            );
        }
        return Ok(status(false));
    };
    let other = args.subject.zip(known.here.as_ref()).filter(|(id, here)| here.subject != id.to_string());
    if other.is_some() {
        bail!("it is not this person's");
    }
    if args.json {
        say.line(serde_json::to_string_pretty(&known)?);
    } else {
        print(&known, say);
    }
    Ok(ExitCode::SUCCESS)
}

async fn known_of(app: &App, tenant: &TenantId, id: ItemId) -> anyhow::Result<Option<Known>> {
    let trace = app.vault.trace(tenant, id).await?;
    let events = found::events(app, tenant, id, trace.is_some()).await?;
    if trace.is_none() && events.is_empty() {
        return Ok(None);
    }
    let here = match trace {
        Some(trace) => Some(here(app, tenant, trace).await?),
        None => None,
    };
    Ok(Some(Known {
        id: id.to_string(),
        tenant: tenant.to_string(),
        here,
        events,
        bytes_waiting: app.vault.unburied(tenant).await?,
        entries_waiting: app.ledger.pending().await?,
        verifier_key: app.ledger.verifier().to_string(),
    }))
}

async fn here(app: &App, tenant: &TenantId, trace: Trace) -> anyhow::Result<Here> {
    let now = app.vault.policy(tenant)?;
    let since = app.library.since(tenant, &trace.item.policy_version, app.clock.now());
    let versions: Vec<&Policy> = since.iter().map(|policy| &**policy).collect();
    let done: Vec<&str> = trace.item.done.iter().map(String::as_str).collect();
    let decides = governing_after(&versions, &trace.category, &trace.item.facts, &done);
    let kept = versions.iter().filter_map(|p| p.kept_until(&trace.category, &trace.item.facts)).max();
    let declared = versions.iter().rev().find_map(|policy| policy.category(&trace.category));
    let copies = match &trace.item.parent {
        Some(edit) => app.disclosures.of_edit(tenant, edit).await?,
        None => Vec::new(),
    };
    let holds = app.retention.holds(tenant).await?.into_iter().filter(|hold| {
        hold.released_at.is_none()
            && hold.subject.is_none_or(|id| id == trace.subject)
            && hold.category.as_ref().is_none_or(|category| *category == trace.category)
    });
    Ok(Here {
        subject: trace.subject.to_string(),
        title: declared.map_or_else(|| trace.category.clone(), |category| category.title.clone()),
        state: trace.state.clone(),
        since: trace.item.created_at,
        collected_under: trace.item.policy_version.clone(),
        in_force: now.version().to_owned(),
        goes: trace.item.due_at,
        rule: trace.item.rule.clone(),
        why: why(&versions, &decides, &trace),
        decided_by: declared.is_some().then_some(decides.version),
        law_keeps_until: kept.map(|(until, _)| until),
        readings: versions.iter().flat_map(|policy| readings(policy, &trace)).collect(),
        holds: holds.map(|hold| Kept { hold: hold.id.to_string(), review: hold.review_at }).collect(),
        copies: copies
            .into_iter()
            .filter(|sent| sent.categories.split(' ').any(|category| category == trace.category))
            .map(|sent| Copy {
                processor: sent.processor,
                sent: sent.sent_at,
                due: sent.delete_due,
                gone: sent.deleted_at,
                proof: sent.proof,
            })
            .collect(),
        category: trace.category,
    })
}

fn readings(policy: &Policy, trace: &Trace) -> Vec<Reading> {
    let promised = |said: &Said| {
        let periods = policy
            .retention(&said.rule)
            .into_iter()
            .flat_map(|rule| rule.at_most.iter().chain(&rule.keep).map(|after| after.period.to_string()));
        let periods: Vec<String> = periods.filter(|period| said.says.contains(period.as_str())).collect();
        policy.clause(&said.clause).map_or(String::new(), |clause| line(&clause.text, &periods))
    };
    explain(policy, &trace.category, &trace.item.facts)
        .into_iter()
        .map(|said| Reading { version: policy.version().to_owned(), promised: promised(&said), said })
        .collect()
}

/// The sentence of a clause that names one of the periods, or else its first.
fn line(text: &str, periods: &[String]) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = |sentence: &&str| periods.iter().any(|period| sentence.contains(period.as_str()));
    let found = text.split(". ").find(names).or_else(|| text.split(". ").next()).unwrap_or_default();
    format!("{}.", found.trim_end_matches('.'))
}

/// Which version's rule decides, and why.
fn why(versions: &[&Policy], decides: &Governed, trace: &Trace) -> String {
    let Governed { version, due } = decides;
    let done: Vec<&str> = trace.item.done.iter().map(String::as_str).collect();
    let others: Vec<Option<Timestamp>> = versions
        .iter()
        .filter(|other| other.version() != *version)
        .map(|other| other.due_after(&trace.category, &trace.item.facts, &done).at())
        .collect();
    let because = match due {
        Due::At { because, .. } => because.clone(),
        Due::Waiting { for_fact, .. } => format!("no clock runs until {}", for_fact.in_words()),
        Due::Never { why } => why.clone(),
    };
    let strict = match (due.at(), others.first()) {
        (_, None) => "it was collected under the version that is in force".to_owned(),
        (Some(at), Some(Some(other))) if at == *other => "both versions say the same".to_owned(),
        (Some(_), Some(_)) => format!("version {version} is the stricter, and the stricter keeps"),
        (None, Some(_)) => "no version's clock runs yet".to_owned(),
    };
    format!("{because}; {strict}")
}

fn print(known: &Known, say: &mut Say) {
    say.title(&format!("{}, {}", known.id, known.tenant));
    match &known.here {
        Some(here) => print_here(here, say),
        None => say.row("is here", "no"),
    }
    for event in &known.events {
        let rule = match (&event.rule, event.what) {
            (Some(rule), _) => format!(", by the rule {rule}"),
            (None, "erased") => {
                ", by no rule of its own: somebody asked, or it went with what it belonged to".to_owned()
            }
            _ => String::new(),
        };
        let what = event.category.as_ref().map(|category| format!(" ({category})")).unwrap_or_default();
        say.row(
            event.what,
            format!("{}{what}, by {}{rule}: ledger entry {}", event.at.in_words(), event.actor, event.index),
        );
        // On a line of its own: whoever copies it gets all of it.
        say.row("  to check it", &event.check);
        say.line(format!("    vouchsafe verify receipt.json --key '{}'", known.verifier_key));
    }
    if known.here.is_none() {
        let waiting = u64::try_from(known.bytes_waiting).unwrap_or(0);
        let said = if waiting == 0 {
            "the key is destroyed, and no bytes of this tenant wait for deletion".to_owned()
        } else {
            let blobs = count(waiting, "file", "files");
            format!("the key is destroyed; {blobs} of this tenant, unreadable since, still wait for deletion")
        };
        say.row("its bytes", said);
    }
}

fn print_here(here: &Here, say: &mut Say) {
    let word = match here.state.as_str() {
        "arriving" => "still arriving",
        "deleting" => "never arrived in full; being cleared away",
        _ => "yes",
    };
    say.row(
        "is here",
        format!("{word}: {} ({}), since {}", here.title, here.category, here.since.in_words()),
    );
    say.row("whose", &here.subject);
    say.row("collected under", format!("version {}; in force is {}", here.collected_under, here.in_force));
    say.row("goes", here.goes.map_or("no clock runs yet".to_owned(), Timestamp::in_words));
    if let Some(version) = &here.decided_by {
        let rule =
            here.rule.as_ref().map_or("at somebody's word".to_owned(), |rule| format!("retention.{rule}"));
        say.row("decided by", format!("{rule} of version {version}: {}", here.why));
    }
    if let Some(until) = here.law_keeps_until {
        say.row("a law keeps it", format!("until {}", until.in_words()));
    }
    for hold in &here.holds {
        say.row("legal hold", format!("{}, to be looked at again by {}", hold.hold, hold.review.in_words()));
    }
    for Reading { version, said, promised } in &here.readings {
        let when = said.at.map_or("not yet running".to_owned(), Timestamp::in_words);
        say.row(
            &format!("{version} {}", said.rule),
            format!("{} {}: {when}. #{}: {promised}", said.action, said.says, said.clause),
        );
    }
    for copy in &here.copies {
        let state = match (copy.gone, copy.due) {
            (Some(gone), _) => {
                format!(
                    "gone there since {} ({})",
                    gone.in_words(),
                    copy.proof.as_deref().unwrap_or("no proof")
                )
            }
            (None, Some(due)) => format!("waits for deletion there, due {}", due.in_words()),
            (None, None) => "stays there as long as our own rules say".to_owned(),
        };
        say.row(&format!("at {}", copy.processor), format!("sent {}; {state}", copy.sent.in_words()));
    }
}
