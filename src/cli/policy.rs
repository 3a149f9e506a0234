use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::place::Place;
use super::say::{self, Say};
use super::{Variables, status};
use crate::base::{ObjectId, PageSize, SubjectId, TenantId, Timestamp};
use crate::ledger::{EntryKind, Fact, Filter};
use crate::policy::{Checkup, Policy, diff, report};
use crate::vault::{Access, Actor, Owner};

/// What to do with policy documents.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Compile documents and show everything that is wrong with them
    Check {
        /// Documents, or folders of them
        #[arg(default_value = "policies")]
        paths: Vec<PathBuf>,
    },
    /// Say what a new version means: what was tightened, what was loosened, whom to tell, whom to ask
    Diff {
        /// The version in force
        old: PathBuf,
        /// The version to be
        new: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what goes when, by which rule, of what this installation holds
    Plan {
        /// One tenant only
        #[arg(long)]
        tenant: Option<TenantId>,
        #[command(flatten)]
        place: Place,
    },
    /// Say why a picture is still here, or why it went
    Explain {
        /// The picture
        object: ObjectId,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// Whose it is: shows its clock as well, if it is still here
        #[arg(long)]
        subject: Option<SubjectId>,
        #[command(flatten)]
        place: Place,
    },
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { paths } => check(&paths, say),
        Command::Diff { old, new, json } => difference(&old, &new, json, say),
        Command::Plan { tenant, place } => plan(tenant, &place, variables, say).await,
        Command::Explain { object, tenant, subject, place } => {
            explain(object, &tenant, subject, &place, variables, say).await
        }
    }
}

/// Every document below a path, in order.
fn documents(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|dir| dir.map(|entry| entry.map(|e| e.path())).collect())
        .with_context(|| format!("{} cannot be read", path.display()))?;
    inside.sort();
    for path in inside {
        if path.is_dir() || path.extension().is_some_and(|e| e == "md") {
            documents(&path, found)?;
        }
    }
    Ok(())
}

fn check(paths: &[PathBuf], say: &mut Say) -> anyhow::Result<ExitCode> {
    let mut found = Vec::new();
    for path in paths {
        documents(path, &mut found)?;
    }
    if found.is_empty() {
        bail!("there are no documents (*.md) there");
    }
    let (mut errors, mut warnings) = (0, 0);
    for path in &found {
        let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let Checkup { policy, diagnostics } = Policy::check_bytes(&bytes);
        errors += diagnostics.iter().filter(|d| d.is_error()).count();
        warnings += diagnostics.iter().filter(|d| !d.is_error()).count();
        if !diagnostics.is_empty() {
            let source = String::from_utf8_lossy(&bytes);
            say.text(report(&path.display().to_string(), &source, &diagnostics, say.has_colour()));
            say.gap();
        }
        match policy {
            Some(policy) => {
                let (clauses, categories) = (policy.clauses().len(), policy.categories().count());
                say.check(
                    true,
                    &format!(
                        "{}: {clauses} clauses, {categories} categories, {} rules on when things go",
                        path.display(),
                        policy.retention_rules().count()
                    ),
                );
            }
            None => say.check(false, &format!("{} does not compile", path.display())),
        }
    }
    let (documents, errors, warnings) = (found.len() as u64, errors as u64, warnings as u64);
    say.gap();
    say.line(format!(
        "{}, {}, {}",
        say::count(documents, "document", "documents"),
        say::count(errors, "error", "errors"),
        say::count(warnings, "warning", "warnings")
    ));
    Ok(status(errors == 0))
}

fn compiled(path: &Path) -> anyhow::Result<Policy> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let Checkup { policy, .. } = Policy::check_bytes(&bytes);
    policy.with_context(|| {
        format!("{} does not compile; `vouchsafe policy check {}` says why", path.display(), path.display())
    })
}

fn difference(old: &Path, new: &Path, json: bool, say: &mut Say) -> anyhow::Result<ExitCode> {
    let found = diff::diff(&compiled(old)?, &compiled(new)?);
    if json {
        say.line(serde_json::to_string_pretty(&found)?);
        return Ok(status(found.conflicts.is_empty()));
    }
    let (from, to) = &found.versions;
    say.title(&format!("{}: {from} to {to}", found.tenant));
    if found.changes.is_empty() && found.conflicts.is_empty() {
        say.note("Nothing changes.");
    }
    for change in &found.changes {
        let direction = match change.direction {
            diff::Direction::Loosened => "loosened",
            diff::Direction::Tightened => "tightened",
            diff::Direction::Changed => "changed",
        };
        let mut says = change.says.clone();
        if change.must_ask {
            says.push_str(" People must be asked again.");
        } else if change.must_tell {
            says.push_str(" People must be told.");
        }
        say.row(&format!("{direction}  {}", change.rule), says);
    }
    for conflict in &found.conflicts {
        say.check(false, conflict);
    }
    Ok(status(found.conflicts.is_empty()))
}

async fn plan(
    tenant: Option<TenantId>,
    place: &Place,
    variables: &Variables,
    say: &mut Say,
) -> anyhow::Result<ExitCode> {
    let app = place.open(variables).await?;
    let mut overdue = 0;
    for tenant in tenant.map_or_else(|| app.library.tenants(), |t| vec![t]) {
        let board = app.retention.board(&tenant).await?;
        say.title(&format!("{tenant}, {}", app.clock.now().in_words()));
        let rows: Vec<_> = board
            .iter()
            .map(|row| {
                overdue += row.overdue;
                let next = row.next_due.map_or("no clock runs".to_owned(), Timestamp::in_words);
                let next = if row.live == 0 { String::new() } else { next };
                vec![
                    row.category.clone(),
                    row.period.clone(),
                    row.live.to_string(),
                    row.overdue.to_string(),
                    next,
                ]
            })
            .collect();
        say.table(&["category", "goes", "held", "overdue", "next"], &rows);
        say.gap();
    }
    app.close().await;
    say.check(overdue == 0, "nothing is past its time");
    Ok(status(overdue == 0))
}

async fn explain(
    object: ObjectId,
    tenant: &TenantId,
    subject: Option<SubjectId>,
    place: &Place,
    variables: &Variables,
    say: &mut Say,
) -> anyhow::Result<ExitCode> {
    let app = place.open(variables).await?;
    say.title(&object.to_string());
    let mut known = false;
    if let Some(subject) = subject {
        let access = Access { actor: &Actor::Service, purpose: "rights" };
        match app.vault.object(&Owner::new(tenant, subject), &access, object).await {
            Ok(held) => {
                known = true;
                say.row("is here", format!("{}, since {}", held.category, held.item.created_at.in_words()));
                say.row("collected under", &held.item.policy_version);
                say.row("goes", held.item.due_at.map_or("no clock runs yet".to_owned(), |t| t.in_words()));
                say.row("by", held.item.rule.as_deref().unwrap_or("no rule yet"));
            }
            Err(crate::vault::Error::NotFound) => say.row("is here", "no"),
            Err(e) => return Err(e.into()),
        }
    }
    for (kind, word) in [(EntryKind::OBJECT_STORED, "stored"), (EntryKind::OBJECT_ERASED, "erased")] {
        known |= entries(&app, tenant, object, (kind, word), say).await?;
    }
    if !known {
        say.note("Nothing is known of it here. Its ledger entry may still wait to be taken in: try again in a second.");
    }
    app.close().await;
    Ok(status(known))
}

/// What the ledger says of a picture: one line an entry.
async fn entries(
    app: &crate::app::App,
    tenant: &TenantId,
    object: ObjectId,
    (kind, word): (EntryKind, &str),
    say: &mut Say,
) -> anyhow::Result<bool> {
    let filter = Filter { kind: Some(kind), subject: None };
    let name = Fact::from(object.to_string());
    let (mut after, mut found) = (None::<String>, false);
    loop {
        let size = PageSize::new(200).unwrap_or_default();
        let page = app.ledger.list(tenant, &filter, size, after.as_deref()).await?;
        for entry in page.items.iter().filter(|e| e.leaf.facts.get("object") == Some(&name)) {
            found = true;
            let rule = entry.leaf.facts.get("rule").map(|r| format!(", by the rule {r}")).unwrap_or_default();
            let by = format!("by {}", entry.leaf.actor);
            say.row(word, format!("{}, {by}{rule}: entry {}", entry.leaf.at.in_words(), entry.index));
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
