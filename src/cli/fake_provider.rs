use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::TimeDelta;

use super::say::Say;
use super::status;
use crate::base::{Clock, Entropy};
use crate::fakes::{FakeFal, FakeReplicate, FakeStripe, FakeSupabase, Options, Pace};

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
    Stripe,
    Supabase,
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
        Which::Stripe => {
            let (fake, listening) = FakeStripe::bind(args.listen, options).await.with_context(bound)?;
            let customer = fake.add_customer(&serde_json::json!({ "name": "Ada Lovelace" }));
            say.title("A stand-in for Stripe, with one customer in it.");
            say.row("address", fake.base());
            say.row("key", FakeStripe::KEY);
            say.row("webhook secret", fake.secret());
            say.row("customer", &customer);
            listening
        }
        Which::Supabase => {
            let (fake, listening) = FakeSupabase::bind(args.listen, options).await.with_context(bound)?;
            let user = fake.add_user("ada@example.org");
            say.title("A stand-in for Supabase, with one user in it.");
            say.row("address", fake.base());
            say.row("secret key", FakeSupabase::KEY);
            say.row("log cleaner", FakeSupabase::CLEANER);
            say.row("user", &user);
            listening
        }
    };
    say.note("It forgets everything when it stops: Ctrl-C.");
    listening.run(async { drop(tokio::signal::ctrl_c().await) }).await?;
    Ok(status(true))
}
