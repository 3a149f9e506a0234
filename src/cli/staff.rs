use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::api_key::known;
use super::place::Place;
use super::say::Say;
use super::{Variables, status};
use crate::app::App;
use crate::base::TenantId;
use crate::edge::{WhatOfFactor, tell_of_factor};
use crate::policy::Role;
use crate::subjects::Email;

/// What to do about staff.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Take somebody on
    Add {
        /// Whose staff
        #[arg(long)]
        tenant: TenantId,
        /// Their address
        #[arg(long)]
        email: Email,
        /// What they are: support, compliance or admin. What that lets them read, the document says
        #[arg(long, value_parser = staff_role)]
        role: Role,
        #[command(flatten)]
        place: Place,
    },
    /// Take a lost second factor away: every session of theirs ends, and they set up another at their next sign-in
    ResetFactor {
        /// Whose staff
        #[arg(long)]
        tenant: TenantId,
        /// Their address
        #[arg(long)]
        email: Email,
        #[command(flatten)]
        place: Place,
    },
}

/// The roles that somebody can be taken on in; the others are no staff.
const ROLES: [Role; 3] = [Role::Support, Role::Compliance, Role::Admin];

fn staff_role(text: &str) -> Result<Role, String> {
    let known = ROLES.into_iter().find(|role| role.as_str() == text);
    known.ok_or_else(|| format!("staff are {}", ROLES.map(Role::as_str).join(", ")))
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Add { tenant, email, role, place } => {
            let app = place.open(variables).await?;
            add(&app, &tenant, (&email, role), say).await?;
            app.close().await;
        }
        Command::ResetFactor { tenant, email, place } => {
            let app = place.open(variables).await?;
            reset_factor(&app, &tenant, &email, say).await?;
            app.close().await;
        }
    }
    Ok(status(true))
}

async fn add(
    app: &App,
    tenant: &TenantId,
    (email, role): (&Email, Role),
    say: &mut Say,
) -> anyhow::Result<()> {
    known(app, tenant)?;
    let hired = app.subjects.hire(tenant, email, role).await?;
    say.title(&format!("Taken on as {role} of {tenant}."));
    say.row("id", hired.id.to_string());
    say.row("sign in at", format!("{}/{tenant}/desk", app.config.server.public_url.as_str()));
    Ok(())
}

async fn reset_factor(app: &App, tenant: &TenantId, email: &Email, say: &mut Say) -> anyhow::Result<()> {
    known(app, tenant)?;
    let found = app.subjects.staff_by_email(tenant, email).await?;
    let staff = found.with_context(|| format!("nobody of the staff of {tenant} has this address"))?;
    if !app.subjects.reset_factor(&staff).await? {
        bail!("they have no second factor to take away; their sessions are ended");
    }
    say.title(&format!("The second factor of {} is taken away.", staff.id));
    say.row("next", "they set up another when they sign in; the gravest acts wait 72 hours from then");
    match tell_of_factor(app, &staff, WhatOfFactor::TakenAway).await {
        Ok(()) => say.row("told", "a letter is on its way to them"),
        Err(_) => say.row("not told", "the letter to them did not go: tell them yourself"),
    }
    Ok(())
}
