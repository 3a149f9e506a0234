//! A letter on standard input, as a mail system pipes it into a program. The exit status speaks the language of such pipes
//! (`sysexits.h`), so that a letter that cannot be taken now is tried again, and one that is none is said to be none.

use std::io::Read as _;
use std::net::IpAddr;
use std::process::ExitCode;

use super::api_key::known;
use super::place::Place;
use super::say::Say;
use super::{Variables, status};
use crate::base::{Kind, TenantId};
use crate::intake::{Envelope, Error, MOST_BYTES, Outcome};

/// `EX_DATAERR`: it is no letter that can be read.
const DATA: u8 = 65;
/// `EX_NOUSER`: it is a letter, and not a request.
const NOBODY: u8 = 67;
/// `EX_TEMPFAIL`: not now; try again.
const LATER: u8 = 75;

/// Where the letter goes, and what the mail system knows of it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose letter it is
    #[arg(long)]
    tenant: TenantId,
    /// Somebody else keeps the letter as well: one that is no request is left to them, and is no error
    #[arg(long)]
    copy: bool,
    /// The address of the machine that sent it, for SPF
    #[arg(long, value_name = "IP")]
    client: Option<String>,
    /// What that machine called itself, for SPF
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// Where bounces go; empty for a bounce
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Runs it.
pub(super) async fn run(args: Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let Args { tenant, copy, client, helo, sender, place } = args;
    // Mail systems say `unknown` of a machine, or nothing, where a letter was written on this one.
    let client: Option<IpAddr> = client.and_then(|client| client.parse().ok());
    let taken = async {
        let raw = letter()?;
        let app = place.open(variables).await?;
        known(&app, &tenant)?;
        let taken = app.intake.take(&tenant, &raw, &Envelope { client, helo, sender }).await;
        app.close().await;
        Ok::<_, anyhow::Error>(taken)
    };
    match taken.await {
        Ok(taken) => Ok(told(taken, copy, say)),
        // A letter is not lost for a service that is being moved or was set up wrongly: it waits in the mail system's queue.
        Err(e) => {
            say.error(&e);
            Ok(ExitCode::from(LATER))
        }
    }
}

/// What stands on standard input, and one byte more than is taken where there is more.
fn letter() -> anyhow::Result<Vec<u8>> {
    let mut raw = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    std::io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut raw)?;
    Ok(raw)
}

fn told(taken: Result<Outcome, Error>, copy: bool, say: &mut Say) -> ExitCode {
    match taken {
        Ok(Outcome::Taken) => say.line("taken: its writer is asked to confirm it"),
        Ok(Outcome::Again) => say.line("taken: it was linked to a letter that came before"),
        Ok(Outcome::Automatic) => say.line("left alone: a machine wrote it"),
        Ok(Outcome::NotARequest) => {
            say.line("left alone: not to the address of the policy, or without its subject line");
            return if copy { status(true) } else { ExitCode::from(NOBODY) };
        }
        Err(e) => {
            let later = matches!(
                e.kind(),
                Kind::TooMany | Kind::Unavailable | Kind::Internal | Kind::Conflict | Kind::Full
            );
            say.error(&e.into());
            return ExitCode::from(if later { LATER } else { DATA });
        }
    }
    status(true)
}
