//! Documents on the command line: checked, compared, turned into papers, and asked about what is held.

mod board;
mod check;
mod difference;
mod explain;
mod found;
mod plan;
mod publish;
mod render;
mod timeline;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::Variables;
use super::place::Place;
use super::say::Say;
use crate::base::TenantId;
use crate::policy::{Checkup, Policy};

/// What to do with policy documents.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Compile documents and show everything that is wrong with them
    Check {
        /// Documents, or folders of them; `-` reads one from the standard input
        #[arg(default_value = "policies")]
        paths: Vec<PathBuf>,
        /// As JSON: an array with path, whether it compiles, and everything found with its place
        #[arg(long)]
        json: bool,
    },
    /// Say what a new version means: what was tightened, what was loosened, whom to tell, whom to ask
    ///
    /// The status is 0 when NEW can follow OLD, 1 when it cannot, 2 when they could not be looked at.
    Diff {
        /// The version in force, or a folder: then the newest document of each tenant in it
        old: PathBuf,
        /// The version to be, or a folder
        new: PathBuf,
        /// As JSON; for folders, a list
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Show how each promise stands, by the last check of each; fails when one is broken or overdue
    Board {
        /// One tenant only
        #[arg(long)]
        tenant: Option<TenantId>,
        /// As JSON, a list with one board a tenant
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Publish documents: from then on their text never changes, and people are told
    Publish(publish::Args),
    /// Agree, as the second person, to a document that would erase much at once; or turn it down
    Confirm(publish::ConfirmArgs),
    /// Say which version a person had in force when, and what they were told
    Timeline(timeline::Args),
    /// Say what goes when, by which rule, of what an installation holds; today, or under a candidate document
    ///
    /// The status is 0 when all is well, 1 when something is past its time or the candidate must not come into force as it
    /// is, 2 when it could not be looked at.
    Plan(plan::Args),
    /// Say why a picture or record is still here, or why it went, by whom, and how to check that
    ///
    /// The status is 1 when nothing is known of it.
    Explain(explain::Args),
    /// Make a paper out of a document: the page, the notice of Art. 13 GDPR, or the summary
    Render(render::Args),
    /// Make the record of processing activities (Art. 30 GDPR), out of the rules
    Ropa(render::RopaArgs),
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { paths, json } => check::check(&paths, json, say),
        Command::Diff { old, new, json, place } => {
            difference::run((&old, &new), json, &place, variables, say).await
        }
        Command::Board { tenant, json, place } => board::board(tenant, json, &place, variables, say).await,
        Command::Publish(args) => publish::publish(args, variables, say).await,
        Command::Confirm(args) => publish::confirm(args, variables, say).await,
        Command::Timeline(args) => timeline::show(args, variables, say).await,
        Command::Plan(args) => plan::run(&args, variables, say).await,
        Command::Explain(args) => explain::run(&args, variables, say).await,
        Command::Render(args) => render::run(&args, say),
        Command::Ropa(args) => render::ropa(&args, say),
    }
}

fn compiled(path: &Path) -> anyhow::Result<Policy> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let Checkup { policy, .. } = Policy::check_bytes(&bytes);
    policy.with_context(|| {
        format!("{} does not compile; `vouchsafe policy check {}` says why", path.display(), path.display())
    })
}
