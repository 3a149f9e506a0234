use std::process::ExitCode;

use super::place::Place;
use super::say::Say;
use super::{Variables, api_key, status};
use crate::base::{TenantId, Timestamp};

/// The Data Rights Protocol.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Agents that may ask in people's names
    #[command(subcommand)]
    Agents(Agents),
}

/// What to do with agents.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Agents {
    /// Enter an agent, as the service directory has it; again, to change its key
    Add {
        /// The tenant that it may ask; its business id in the directory
        #[arg(long)]
        tenant: TenantId,
        /// The agent's id in the directory
        #[arg(long)]
        id: String,
        /// What people know it as
        #[arg(long)]
        name: String,
        /// Its verify key: base64 of 32 bytes
        #[arg(long, value_name = "BASE64")]
        key: String,
        /// Its own site, `https://…`: people who come from there are led back to it
        #[arg(long, value_name = "URL")]
        site: String,
        #[command(flatten)]
        place: Place,
    },
    /// A tenant's agents
    List {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        #[command(flatten)]
        place: Place,
    },
    /// Take an agent out: its token opens nothing from here on
    Remove {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// The agent's id
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let Command::Agents(command) = command;
    match command {
        Agents::Add { tenant, id, name, key, site, place } => {
            let app = place.open(variables).await?;
            api_key::known(&app, &tenant)?;
            let added = app.drp.add_agent(&tenant, (&id, &name), &key, &site).await;
            let base = app.drp.base(&tenant);
            app.close().await;
            let agent = added?;
            say.check(true, &format!("{} may ask in people's names, once it has paired", agent.name));
            say.row("api_base", base);
            say.row("business id", tenant.as_str());
        }
        Agents::List { tenant, place } => {
            let app = place.open(variables).await?;
            api_key::known(&app, &tenant)?;
            let agents = app.drp.agents(&tenant).await?;
            app.close().await;
            let paired = |at: Option<Timestamp>| at.map_or_else(|| "not yet".to_owned(), Timestamp::in_words);
            let rows: Vec<_> = agents
                .into_iter()
                .map(|a| vec![a.id, a.name, a.site, a.added_at.in_words(), paired(a.paired_at)])
                .collect();
            say.table(&["id", "name", "site", "entered", "paired"], &rows);
        }
        Agents::Remove { tenant, id, place } => {
            let app = place.open(variables).await?;
            let removed = app.drp.remove_agent(&tenant, &id).await;
            app.close().await;
            removed?;
            say.check(true, "taken out; calls with its token are refused from now on");
        }
    }
    Ok(status(true))
}
