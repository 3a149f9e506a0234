use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use super::check::documents;
use super::compiled;
use crate::app::App;
use crate::base::{TenantId, Timestamp};
use crate::cli::place::Place;
use crate::cli::say::{Say, count, number};
use crate::cli::{Variables, status};
use crate::policy::diff::{Change, Difference, Direction, diff};
use crate::policy::plan::{Comparison, Pace};
use crate::policy::{Policy, RuleKind};
use crate::vault::Reach;

/// What a change touches, in an installation.
#[derive(Debug, Serialize)]
struct Touched<'a> {
    #[serde(flatten)]
    change: &'a Change,
    /// What is held of its categories now, and of how many people.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<Reach>,
    /// Copies at the recipient that are not known to be gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    copies: Option<i64>,
}

/// A difference as it is printed as JSON.
#[derive(Debug, Serialize)]
struct Told<'a> {
    tenant: &'a str,
    versions: &'a (String, String),
    must_tell: bool,
    must_ask: bool,
    wording_only: bool,
    changes: Vec<Touched<'a>>,
    conflicts: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    at_once: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_person: Option<bool>,
}

/// What lies in an installation, as far as a difference asks.
struct Stand {
    reach: Vec<Reach>,
    copies: BTreeMap<String, i64>,
    comparison: Comparison,
}

pub(super) async fn run(
    (old, new): (&Path, &Path),
    json: bool,
    place: &Place,
    variables: &Variables,
    say: &mut Say,
) -> anyhow::Result<ExitCode> {
    let pairs = pairs(old, new)?;
    let app = if place.is_named() { Some(place.open(variables).await?) } else { None };
    let (mut well, mut all) = (true, Vec::new());
    for (old, new) in &pairs {
        let found = diff(old, new);
        well &= found.conflicts.is_empty();
        let stand = match &app {
            Some(app) => Some(stand(app, &found, new).await?),
            None => None,
        };
        if json {
            all.push(serde_json::to_value(told(&found, stand.as_ref()))?);
        } else {
            print(&found, stand.as_ref(), say);
        }
    }
    if let Some(app) = app {
        app.close().await;
    }
    if json {
        let one = (old.is_file()).then(|| all.pop()).flatten();
        say.line(serde_json::to_string_pretty(&one.unwrap_or(all.into()))?);
    }
    Ok(status(well))
}

/// The documents to compare: two files, or of two folders the newest of each tenant that both have.
fn pairs(old: &Path, new: &Path) -> anyhow::Result<Vec<(Policy, Policy)>> {
    match (old.is_dir(), new.is_dir()) {
        (false, false) => Ok(vec![(compiled(old)?, compiled(new)?)]),
        (true, true) => {
            let (mut was, is) = (newest(old)?, newest(new)?);
            let tenants = |of: &BTreeMap<TenantId, Policy>| of.keys().cloned().collect::<BTreeSet<_>>();
            let alone: Vec<String> =
                tenants(&was).symmetric_difference(&tenants(&is)).map(ToString::to_string).collect();
            if !alone.is_empty() {
                bail!("only one of the folders has a document of {}", alone.join(" and "));
            }
            Ok(is.into_iter().filter_map(|(tenant, new)| Some((was.remove(&tenant)?, new))).collect())
        }
        _ => bail!("compare two documents, or two folders"),
    }
}

fn newest(folder: &Path) -> anyhow::Result<BTreeMap<TenantId, Policy>> {
    let (mut paths, mut all) = (Vec::new(), BTreeMap::<TenantId, Policy>::new());
    documents(folder, &mut paths)?;
    if paths.is_empty() {
        bail!("there are no documents (*.md) in {}", folder.display());
    }
    for path in paths {
        let policy = compiled(&path)?;
        if all.get(policy.tenant()).is_none_or(|known| known.effective() < policy.effective()) {
            all.insert(policy.tenant().clone(), policy);
        }
    }
    Ok(all)
}

async fn stand(app: &App, found: &Difference, new: &Policy) -> anyhow::Result<Stand> {
    let tenant = new.tenant();
    let mut reach = Vec::with_capacity(found.changes.len());
    for change in &found.changes {
        let categories: Vec<&str> = change.categories.iter().map(String::as_str).collect();
        reach.push(app.vault.reach(tenant, &categories).await?);
    }
    let copies = app.disclosures.outstanding(tenant).await?;
    let from = starts(new).max(app.clock.now());
    let trial = app.retention.trial(tenant, new, (from, None), Pace::Percent(100)).await?;
    Ok(Stand {
        reach,
        copies: copies.into_iter().map(|(processor, copies, _)| (processor, copies)).collect(),
        comparison: trial.comparison,
    })
}

/// The first moment of a document.
pub(super) fn starts(policy: &Policy) -> Timestamp {
    Timestamp::from_utc(policy.effective().and_time(chrono::NaiveTime::MIN).and_utc())
}

fn touched<'a>(found: &'a Difference, stand: Option<&Stand>) -> Vec<Touched<'a>> {
    let one = |(n, change): (usize, &'a Change)| {
        let processor = change.rule.strip_prefix(RuleKind::Processor.as_str());
        let processor = processor.and_then(|rest| rest.strip_prefix('.'));
        let holds = stand.and_then(|s| s.reach.get(n).copied()).filter(|_| !change.categories.is_empty());
        let copies = stand.zip(processor).map(|(s, id)| s.copies.get(id).copied().unwrap_or(0));
        Touched { change, holds, copies }
    };
    found.changes.iter().enumerate().map(one).collect()
}

fn told<'a>(found: &'a Difference, stand: Option<&Stand>) -> Told<'a> {
    Told {
        tenant: &found.tenant,
        versions: &found.versions,
        must_tell: found.must_tell(),
        must_ask: found.must_ask().next().is_some(),
        wording_only: found.is_wording_only(),
        changes: touched(found, stand),
        conflicts: &found.conflicts,
        at_once: stand.map(|s| s.comparison.at_once),
        second_person: stand.map(|s| s.comparison.second_person),
    }
}

/// One change: what it means, whether people must be told or asked, and what else is known of it.
pub(super) fn say_change(change: &Change, also: &str, say: &mut Say) {
    let direction = match change.direction {
        Direction::Loosened => "loosened",
        Direction::Tightened => "tightened",
        Direction::Changed => "changed",
    };
    let mut says = change.says.trim_end_matches('.').to_owned() + ".";
    if change.must_ask {
        says.push_str(" People must be asked again.");
    } else if change.must_tell {
        says.push_str(" People must be told.");
    }
    says.push_str(also);
    say.row(&format!("{direction}  {}", change.rule), says);
}

fn print(found: &Difference, stand: Option<&Stand>, say: &mut Say) {
    let (from, to) = &found.versions;
    say.title(&format!("{}: {from} to {to}", found.tenant));
    if found.changes.is_empty() && found.conflicts.is_empty() {
        say.note("Nothing changes.");
    }
    for Touched { change, holds, copies } in touched(found, stand) {
        let mut also = String::new();
        if let Some(Reach { things, people }) = holds {
            let (things, people) = (count(things, "thing", "things"), count(people, "person", "people"));
            also.push_str(&format!(" Touches {things} of {people}."));
        }
        if let Some(copies) = copies.and_then(|n| u64::try_from(n).ok()) {
            also.push_str(&format!(" {} there not known to be gone.", count(copies, "copy", "copies")));
        }
        say_change(change, &also, say);
    }
    summary(found, stand, say);
    for conflict in &found.conflicts {
        say.check(false, conflict);
    }
    say.gap();
}

fn summary(found: &Difference, stand: Option<&Stand>, say: &mut Say) {
    if found.is_wording_only() {
        say.note("Only words change: the program does nothing else than before.");
    } else if found.must_ask().next().is_some() {
        say.note("People must be told, and asked again where their consent no longer covers what happens.");
    } else if found.must_tell() {
        say.note("People must be told before it is in force.");
    }
    let Some(Stand { comparison, .. }) = stand else { return };
    say.note(&format!(
        "Of {} held, {} would go at once that would have stayed.",
        count(comparison.candidate.total, "thing", "things"),
        number(comparison.at_once)
    ));
    if comparison.second_person {
        say.warning("that is more than one in a hundred: a second person must confirm it");
    }
}
