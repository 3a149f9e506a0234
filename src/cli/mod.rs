//! The command line: one file a command.
//!
//! Promises: what a command found is in its exit status (0 all is well, 1 something does not hold, 2 it could not be
//! looked at; `intake` speaks to mail systems in theirs); what it prints can be read by a person and, where that makes sense, by a program. Must never: decide
//! anything that a room below ought to decide, or print a person's data.

mod api_key;
mod backup;
mod demo;
mod doctor;
mod drill;
mod drp;
mod fake_provider;
mod intake;
mod keys;
mod ledger;
mod needles;
mod openapi;
mod place;
mod policy;
mod process;
mod redraw;
mod restore;
mod say;
mod seals;
mod serve;
mod staff;
mod training_export;
mod verify;
mod witness;

use std::collections::BTreeMap;
use std::process::ExitCode;

pub use demo::{Options as DemoOptions, demo};
pub use process::close_up;
pub use say::Say;

/// The variables of the environment.
pub type Variables = BTreeMap<String, String>;

/// Something does not hold.
const NOT_SO: u8 = 1;

/// Privacy policies that run.
///
/// A policy document says what is kept, why, and until when; this program keeps it, and lets a stranger check that it did.
#[derive(Debug, clap::Parser)]
#[command(name = "vouchsafe", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serve the pages and the API
    Serve(serve::Args),
    /// Tell the whole story on a throw-away data folder, each step proved
    Demo(demo::Options),
    /// Check a receipt or a take-home archive, offline
    Verify(verify::Args),
    /// Check, export or show the ledger
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Check, compare and question policy documents
    #[command(subcommand)]
    Policy(policy::Command),
    /// Look after the keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Watch somebody's ledger, and cosign it while it only grows
    #[command(subcommand)]
    Witness(witness::Command),
    /// Take a backup, beside the service that runs
    Backup(backup::Args),
    /// Put a backup back, and do again what happened since
    Restore(restore::Args),
    /// Let happen on purpose what must do no harm, on a throw-away installation
    #[command(subcommand)]
    Drill(drill::Command),
    /// Stand in for a provider, to try the product without an account there
    FakeProvider(fake_provider::Args),
    /// Print the API's description, OpenAPI 3.1
    Openapi,
    /// Make, list and revoke the keys of apps
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Look after the agents that may ask in people's names (Data Rights Protocol 1.0)
    #[command(subcommand)]
    Drp(drp::Command),
    /// Collect, for teaching models, what people who agree to it now have given, and nothing else
    TrainingExport(training_export::Args),
    /// Take people on as staff, and take lost second factors away
    #[command(subcommand)]
    Staff(staff::Command),
    /// Take a letter from standard input, as mail systems pipe it
    Intake(intake::Args),
    /// Look whether this installation can keep its promises
    Doctor(doctor::Args),
    /// Decode the picture on standard input and write it anew; for the service itself, which limits what this may use
    #[command(hide = true)]
    Redraw,
}

/// Runs a command.
pub async fn run(cli: Cli, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    // Both are there: one of the libraries would otherwise not know which to use. A second call changes nothing.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    match cli.command {
        Command::Serve(args) => Box::pin(serve::run(args, variables, say)).await,
        Command::Demo(options) => Ok(status(Box::pin(demo(&options, say)).await?)),
        Command::Verify(args) => verify::run(&args, say),
        Command::Ledger(command) => Box::pin(ledger::run(command, variables, say)).await,
        Command::Policy(command) => Box::pin(policy::run(command, variables, say)).await,
        Command::Keys(command) => Box::pin(keys::run(command, variables, say)).await,
        Command::Witness(command) => witness::run(command, variables, say).await,
        Command::Backup(args) => Box::pin(backup::run(args, variables, say)).await,
        Command::Restore(args) => Box::pin(restore::run(args, variables, say)).await,
        Command::Drill(command) => Box::pin(drill::run(command, say)).await,
        Command::FakeProvider(args) => fake_provider::run(args, say).await,
        Command::Openapi => openapi::run(say),
        Command::ApiKey(command) => Box::pin(api_key::run(command, variables, say)).await,
        Command::Drp(command) => Box::pin(drp::run(command, variables, say)).await,
        Command::TrainingExport(args) => Box::pin(training_export::run(args, variables, say)).await,
        Command::Staff(command) => Box::pin(staff::run(command, variables, say)).await,
        Command::Intake(args) => Box::pin(intake::run(args, variables, say)).await,
        Command::Redraw => redraw::run(),
        Command::Doctor(args) => Box::pin(doctor::run(args, variables, say)).await,
    }
}

/// The status of a command that found that all is well, or that it is not.
fn status(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) }
}
