//! Serving: the start, and the stop in two steps.

mod greeting;
mod log;
mod stop;
mod stores;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::place::{self, Place, lock};
use super::{Say, Variables, restore, status};
use crate::app::App;
use crate::config::{Config, Tls};
use crate::edge::Edge;
use crate::http::Certificate;
use crate::jobs::Jobs;
use crate::{backup, web};
use stop::Stop;

/// How long calls under way may take to end once a stop was asked for: long enough for an upload, short enough for
/// whoever waits for the restart. Event streams never end by themselves.
const GRACE: Duration = Duration::from_secs(20);

/// When a service that could not be brought up to date tries again.
const AGAIN: Duration = Duration::from_secs(30);

/// Serve the pages and the API.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Where to listen, instead of the configuration's
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// How the log is written, to the standard error
    #[arg(long, value_enum)]
    log: Option<log::Form>,
}

/// Runs it until it is told to stop.
pub(super) async fn run(args: Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let mut config = args.place.config(variables)?;
    if let Some(listen) = args.listen {
        config.server.listen = listen;
        if config.server.development {
            // The ledger keeps the name it began with, whatever door it is shown at today.
            config.ledger.origin = Some(origin(&config));
            config.server.public_url = format!("http://{listen}");
        }
    }
    let development = config.server.development;
    let logs = log::begin(args.log.unwrap_or_else(|| log::Form::fit(development)), variables)?;
    let at = config.server.listen;
    let listener = TcpListener::bind(at).await.with_context(|| format!("cannot listen on {at}"))?;
    let certificate = match &config.server.tls {
        Some(tls) => Some(certificate(tls).await?),
        None => None,
    };
    let alone = if config.store.postgres.is_none() { Some(lock(&config)?) } else { None };
    if alone.is_some() {
        backup::forget_incoming(&config.data.folder).context("what a restore left that was killed")?;
    }
    let letters = config.mail.smtp_host.is_none().then(|| config.letters_folder());
    let mut setup = place::setup(config)?;
    setup.logs = Some(logs);
    let app = Box::pin(App::open(setup)).await?;
    stores::fit(&app).await?;
    let edge = Edge::new(app.clone()).await?;
    if alone.is_some() {
        // Before anything is served: what a killed process held is nobody's now.
        Jobs::new(app.clone()).take_over().await?;
    }
    // Held until the end: the auditor sees the pages for as long as they are served.
    let _seen = web::let_the_audit_see(&edge, crate::http::routes(&edge));
    let stop = Stop::new();
    stop.on_signals()?;
    let opened = async {
        if !opened(&app, &stop, say).await {
            return Ok(None);
        }
        let running = Jobs::new(app.clone()).start().await?;
        if development {
            greeting::development(&edge, letters.as_deref(), say).await?;
        } else {
            greeting::production(&app, say);
        }
        anyhow::Ok(Some(running))
    };
    // Served from the start, so that whoever asks meanwhile is told why nothing else is answered.
    let (served, running) =
        tokio::join!(serve(edge.clone(), (listener, certificate), &stop), Box::pin(opened));
    if let Some(running) = running? {
        running.stop().await;
    }
    if tokio::time::timeout(GRACE, edge.finish()).await.is_err() {
        tracing::warn!("a call that was under way did not end in time");
    }
    app.close().await;
    drop(alone);
    served?;
    say.line("Stopped.");
    Ok(status(true))
}

/// The certificate that is shown, read once now; a file that cannot be used is better known before the first caller.
async fn certificate(tls: &Tls) -> anyhow::Result<Certificate> {
    let read = Certificate::load(&tls.certificate, &tls.private_key).await;
    read.with_context(|| {
        let (chain, key) = (tls.certificate.display(), tls.private_key.display());
        format!("{chain} and {key} cannot be used as certificate and private key")
    })
}

/// Brings a service that a backup was put back into up to date, and opens it. Tried again until it can be done: what is
/// missing may be brought. `false` when a stop was asked for first.
async fn opened(app: &App, stop: &Stop, say: &mut Say) -> bool {
    while let Some(why) = app.gate.why() {
        say.line(format!("Shut: {why}. What happened since is done again before anything else."));
        match backup::bring_up_to_date(app).await {
            Ok(done) => restore::show(&done, say),
            Err(e) => {
                tracing::error!(error = %e, "the service stays shut");
                say.line(format!("Still shut: {e}."));
                tokio::select! {
                    () = stop.asked() => return false,
                    () = tokio::time::sleep(AGAIN) => {}
                }
            }
        }
    }
    true
}

/// What the ledger is called: as configured, or as the public URL says.
fn origin(config: &Config) -> String {
    let url = &config.server.public_url;
    let bare = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let usual = || format!("{}/ledger", bare.trim_end_matches('/'));
    config.ledger.origin.clone().unwrap_or_else(usual)
}

/// Serves until a stop is asked for; then takes no new calls and waits for those under way, until they end, their grace
/// is over, or a stop is asked for once more.
async fn serve(
    edge: Edge,
    (listener, certificate): (TcpListener, Option<Certificate>),
    stop: &Stop,
) -> anyhow::Result<()> {
    let pages = web::router(edge.clone());
    let asked = stop.clone();
    if let Some(certificate) = &certificate {
        stop.on_hangup(certificate.clone())?;
    }
    let serving =
        crate::http::serve(edge, (listener, certificate), pages, async move { asked.asked().await });
    let over = async {
        stop.asked().await;
        tokio::select! {
            () = stop.insisted() => {}
            () = tokio::time::sleep(GRACE) => {}
        }
    };
    tokio::select! {
        served = serving => served.context("serving ended"),
        () = over => Ok(()),
    }
}
