//! Publishing documents, and the second person's word.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::compiled;
use super::difference::say_change;
use crate::app::App;
use crate::base::{ProposalId, TenantId, Timestamp};
use crate::cli::place::Place;
use crate::cli::say::{Say, count};
use crate::cli::{Variables, status};
use crate::policy::{Medium, Policy};
use crate::publication::{Outcome, Outlook, Verdict};
use crate::subjects::{Email, StaffMember};

/// Publish documents.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The documents
    #[arg(required = true)]
    documents: Vec<PathBuf>,
    /// Who publishes: the address of a member of the tenant's compliance or admin staff. Needed where a second person
    /// has to agree
    #[arg(long = "as", value_name = "STAFF-EMAIL")]
    by: Option<Email>,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// Agree to a document, or turn it down.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ConfirmArgs {
    /// What `publish` called it; without it, what waits is listed
    proposal: Option<ProposalId>,
    /// The tenant
    #[arg(long)]
    tenant: TenantId,
    /// Who decides: the address of a member of compliance staff, not the one who proposed it
    #[arg(long = "as", value_name = "STAFF-EMAIL")]
    by: Option<Email>,
    /// Turn it down, for this reason
    #[arg(long, value_name = "REASON")]
    refuse: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Publishes documents, in the order in which they are named. One that cannot be published does not keep the others.
pub(super) async fn publish(args: Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let mut documents = Vec::new();
    for path in &args.documents {
        documents.push((path, compiled(path)?));
    }
    let app = args.place.open(variables).await?;
    let mut well = true;
    for (path, document) in documents {
        well &= if args.dry_run {
            foresee(&app, path, &document, say).await?
        } else {
            one(&app, path, &document, args.by.as_ref(), say).await?
        };
        say.gap();
    }
    app.close().await;
    Ok(status(well))
}

async fn foresee(app: &App, path: &Path, document: &Policy, say: &mut Say) -> anyhow::Result<bool> {
    let outlook = app.publications.examine(document).await?;
    headline(path, &outlook, say);
    report(&outlook, say);
    if outlook.needs_second_person() && outlook.obstacles.is_empty() {
        say.note("A second person would have to agree.");
    }
    say.note("Nothing was changed.");
    Ok(outlook.obstacles.is_empty())
}

async fn one(
    app: &App,
    path: &Path,
    document: &Policy,
    by: Option<&Email>,
    say: &mut Say,
) -> anyhow::Result<bool> {
    let by = match by {
        Some(email) => Some(staff(app, document.tenant(), email).await?),
        None => None,
    };
    let outcome = app.publications.publish(document, by.as_ref()).await;
    Ok(told(&path.display().to_string(), outcome.with_context(|| path.display().to_string())?, say))
}

/// What came of it. Whether the document is published, or waits as it should.
fn told(what: &str, outcome: Outcome, say: &mut Say) -> bool {
    match outcome {
        Outcome::Published(outlook, entry) => {
            headline(Path::new(what), &outlook, say);
            report(&outlook, say);
            say.check(true, &format!("version {} is published", outlook.version));
            say.row("ledger entry", entry.id.to_string());
        }
        Outcome::Known(outlook) => {
            say.check(
                true,
                &format!("{what}: version {} was published before, the same text", outlook.version),
            );
        }
        Outcome::Proposed(outlook, id) => {
            headline(Path::new(what), &outlook, say);
            report(&outlook, say);
            say.warning("it is not published yet: a second person of the compliance staff must agree");
            say.row("proposal", id.to_string());
            say.row(
                "agree",
                format!("vouchsafe policy confirm {id} --tenant {} --as STAFF-EMAIL", outlook.tenant),
            );
            say.row("or at the desk", format!("/{}/desk/policies/{id}", outlook.tenant));
        }
        Outcome::Refused(outlook) => {
            headline(Path::new(what), &outlook, say);
            report(&outlook, say);
            say.note("Nothing was published.");
            return false;
        }
    }
    true
}

fn headline(path: &Path, outlook: &Outlook, say: &mut Say) {
    let version = &outlook.version;
    say.title(&format!("{}: {} version {version}", path.display(), outlook.tenant));
}

/// Everything that publishing does, in words.
fn report(outlook: &Outlook, say: &mut Say) {
    say.row("in force from", outlook.effective.in_words());
    match (&outlook.difference, outlook.verdict) {
        (_, Verdict::First) => say.row("changes", "the first version of this tenant"),
        (Some(d), _) if d.changes.is_empty() => say.row("changes", "nothing"),
        (Some(difference), _) => {
            say.row("changes", format!("{} since {}", difference.changes.len(), difference.versions.0));
            for change in &difference.changes {
                say_change(change, "", say);
            }
        }
        (None, _) => {}
    }
    if outlook.verdict == Verdict::New {
        say.row("people told", people(outlook));
        for change in outlook.asked_again() {
            say.row("asked again", &change.says);
        }
        erased(outlook, say);
    }
    for obstacle in &outlook.obstacles {
        say.row("cannot be published", obstacle.to_string());
    }
}

fn people(outlook: &Outlook) -> String {
    let whom = count(outlook.people, "person", "people");
    let ways: Vec<&str> = outlook
        .told
        .by
        .iter()
        .map(|medium| match medium {
            Medium::Email => "by e-mail",
            Medium::PrivacyCentre => "in the privacy centre",
            Medium::PolicyPage => "on the policy page",
        })
        .collect();
    let whom = if outlook.told.only_affected { format!("those of {whom} whom it touches") } else { whom };
    let ahead = outlook.told.ahead.map(|p| format!(", at least {p} before it counts")).unwrap_or_default();
    if ways.is_empty() {
        format!("nobody of {whom}: no rule says how")
    } else {
        format!("{whom}, {}{ahead}", ways.join(", "))
    }
}

fn erased(outlook: &Outlook, say: &mut Say) {
    let plan = &outlook.plan;
    let of = count(plan.total, "thing", "things");
    say.row("erased at once", format!("{} of {of} that would otherwise still be there", plan.going));
    for row in plan.rows.iter().filter(|row| row.due > 0) {
        let held =
            if row.held > 0 { format!(", {} of them under a legal hold", row.held) } else { String::new() };
        say.row("", format!("{} of {}: {}{held}", row.due, row.category, row.because));
    }
    for category in plan.undeclared.keys() {
        say.row("", format!("everything of {category}: the new version does not declare it"));
    }
}

async fn staff(app: &App, tenant: &TenantId, email: &Email) -> anyhow::Result<StaffMember> {
    let found = app.subjects.staff_by_email(tenant, email).await?;
    found.with_context(|| format!("nobody with that address is of the staff of {tenant}"))
}

/// The second person's word, or a list of what waits for one.
pub(super) async fn confirm(
    args: ConfirmArgs,
    variables: &Variables,
    say: &mut Say,
) -> anyhow::Result<ExitCode> {
    let app = args.place.open(variables).await?;
    super::super::api_key::known(&app, &args.tenant)?;
    let Some(id) = args.proposal else {
        list(&app, &args.tenant, say).await?;
        app.close().await;
        return Ok(status(true));
    };
    let Some(email) = &args.by else { bail!("say who decides: --as STAFF-EMAIL") };
    let by = staff(&app, &args.tenant, email).await?;
    let well = match &args.refuse {
        Some(reason) => {
            app.publications.reject(&args.tenant, id, &by, reason).await?;
            say.check(true, "turned down; nothing was published");
            true
        }
        None => told(&id.to_string(), app.publications.confirm(&args.tenant, id, &by).await?, say),
    };
    app.close().await;
    Ok(status(well))
}

async fn list(app: &App, tenant: &TenantId, say: &mut Say) -> anyhow::Result<()> {
    let all = app.publications.proposals(tenant).await?;
    let rows: Vec<_> = all
        .iter()
        .filter(|p| p.state == "open")
        .map(|p| vec![p.id.to_string(), p.version.clone(), Timestamp::in_words(p.proposed_at)])
        .collect();
    say.table(&["proposal", "version", "since"], &rows);
    if rows.is_empty() {
        say.note("Nothing waits for a second person.");
    }
    Ok(())
}
