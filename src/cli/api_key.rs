use std::process::ExitCode;

use chrono::TimeDelta;

use super::place::Place;
use super::say::Say;
use super::{Variables, status};
use crate::base::{TenantId, Timestamp};
use crate::subjects::Scope;

/// What to do with the keys of apps.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key; it is shown once
    Create {
        /// The tenant whose app it is for
        #[arg(long)]
        tenant: TenantId,
        /// What it may do, with commas: edits, accounts, rights, credits, metrics, webhooks, mail, agents
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<Scope>,
        /// What to call it
        #[arg(long, default_value = "app")]
        label: String,
        /// After how many days it ends
        #[arg(long, value_name = "DAYS")]
        days: Option<u16>,
        #[command(flatten)]
        place: Place,
    },
    /// A tenant's keys that hold
    List {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a key, at once
    Revoke {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// The key's id, as `list` shows it
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { tenant, scopes, label, days, place } => {
            let app = place.open(variables).await?;
            known(&app, &tenant)?;
            let until = days.map(|d| app.clock.now().plus(TimeDelta::days(d.into())));
            let minted = app.subjects.mint_api_key(&tenant, &label, &scopes, until).await?;
            say.title("A key, shown this once. Only its hash is kept.");
            say.row("key", minted.text.expose());
            say.row("id", &minted.key.id);
            say.row("may", words(&minted.key.scopes));
            say.row(
                "ends",
                minted.key.expires_at.map_or("when it is revoked".to_owned(), Timestamp::in_words),
            );
            app.close().await;
        }
        Command::List { tenant, place } => {
            let app = place.open(variables).await?;
            known(&app, &tenant)?;
            let keys = app.subjects.api_keys(&tenant).await?;
            let rows: Vec<_> = keys
                .iter()
                .map(|k| vec![k.id.clone(), k.label.clone(), words(&k.scopes), k.created_at.in_words()])
                .collect();
            say.table(&["id", "label", "may", "made"], &rows);
            app.close().await;
        }
        Command::Revoke { tenant, id, place } => {
            let app = place.open(variables).await?;
            app.subjects.revoke_api_key(&tenant, &id).await?;
            say.check(true, "revoked; calls with it are refused from now on");
            app.close().await;
        }
    }
    Ok(status(true))
}

fn words(scopes: &[Scope]) -> String {
    scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether a tenant has a document; without one it does not exist.
pub(super) fn known(app: &crate::app::App, tenant: &TenantId) -> anyhow::Result<()> {
    let all = app.library.tenants();
    if all.contains(tenant) {
        return Ok(());
    }
    let names: Vec<_> = all.iter().map(ToString::to_string).collect();
    anyhow::bail!("no document names the tenant {tenant}; there are {}", names.join(", "))
}
