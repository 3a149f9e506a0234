use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::TimeDelta;

use super::say::Say;
use super::status;
use crate::base::{Clock, Entropy};
use crate::fakes::{FakeFal, FakeReplicate, Options, Pace};

/// Stand in for a provider.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose protocol to speak
    #[arg(value_enum)]
    which: Which,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Which {
    Fal,
    Replicate,
}

/// Runs it until it is told to stop.
pub(super) async fn run(args: Args, say: &mut Say) -> anyhow::Result<ExitCode> {
    let options = Options {
        clock: Clock::system(),
        entropy: Entropy::system(),
        pace: Pace::After(TimeDelta::seconds(2)),
        deliver: true,
    };
    let bound = || format!("cannot listen on {}", args.listen);
    let listening = match args.which {
        Which::Fal => {
            let (fake, listening) = FakeFal::bind(args.listen, options).await.with_context(bound)?;
            say.title("A stand-in for FAL.AI. Its pictures are drawn, not generated.");
            say.row("address", fake.base());
            say.row("key", FakeFal::KEY);
            say.row("admin key", FakeFal::ADMIN_KEY);
            listening
        }
        Which::Replicate => {
            let (fake, listening) = FakeReplicate::bind(args.listen, options).await.with_context(bound)?;
            say.title("A stand-in for Replicate. Its pictures are drawn, not generated.");
            say.row("address", fake.base());
            say.row("token", FakeReplicate::TOKEN);
            say.row("webhook secret", fake.secret());
            listening
        }
    };
    say.note("It forgets everything when it stops: Ctrl-C.");
    listening.run(async { drop(tokio::signal::ctrl_c().await) }).await?;
    Ok(status(true))
}
