use std::process::ExitCode;

use super::api_key::known;
use super::place::Place;
use super::say::Say;
use super::{Variables, status};
use crate::base::TenantId;
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
        #[arg(long)]
        role: Role,
        #[command(flatten)]
        place: Place,
    },
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let Command::Add { tenant, email, role, place } = command;
    let app = place.open(variables).await?;
    known(&app, &tenant)?;
    let hired = app.subjects.hire(&tenant, &email, role).await?;
    say.title(&format!("Taken on as {role} of {tenant}."));
    say.row("id", hired.id.to_string());
    let desk = format!("{}/{tenant}/desk", app.config.server.public_url.trim_end_matches('/'));
    say.row("sign in at", desk);
    app.close().await;
    Ok(status(true))
}
