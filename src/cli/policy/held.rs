use std::process::ExitCode;

use crate::base::{ObjectId, PageSize, SubjectId, TenantId, Timestamp};
use crate::cli::place::Place;
use crate::cli::say::Say;
use crate::cli::{Variables, status};
use crate::ledger::{EntryKind, Fact, Filter};
use crate::policy::plan as plans;
use crate::vault::{Access, Actor, Owner};

/// What goes when, by which rule.
pub(super) async fn plan(
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

/// Why a picture is still here, or why it went.
pub(super) async fn explain(
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
                let policy = app.library.version(tenant, &held.item.policy_version);
                let rules = policy.map(|p| plans::explain(&p, &held.category, &held.item.facts));
                say.row("goes", held.item.due_at.map_or("no clock runs yet".to_owned(), Timestamp::in_words));
                for said in rules.unwrap_or_default() {
                    let when = said.at.map_or("not yet running".to_owned(), Timestamp::in_words);
                    say.row(&format!("rule {}", said.rule), format!("{}: {when}", said.says));
                }
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
