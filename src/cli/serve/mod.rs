//! Serving: the start, and the stop in two steps.

mod greeting;
mod log;
mod stop;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::net::TcpListener;

use super::place::{Place, lock, open};
use super::{Say, Variables, status};
use crate::edge::Edge;
use crate::http;
use crate::jobs::Jobs;
use crate::web;
use stop::Stop;

/// How long calls under way may take to end once a stop was asked for: long enough for an upload, short enough for
/// whoever waits for the restart. Event streams never end by themselves.
const GRACE: Duration = Duration::from_secs(20);

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
            config.server.public_url = format!("http://{listen}");
        }
    }
    let development = config.server.development;
    log::begin(args.log.unwrap_or_else(|| log::Form::fit(development)), variables)?;
    let at = config.server.listen;
    let listener = TcpListener::bind(at).await.with_context(|| format!("cannot listen on {at}"))?;
    let app = open(config).await?;
    let _alone = if app.db.is_sqlite() { Some(lock(&app.config)?) } else { None };
    app.ledger.standing().await.context(
        "the database is not the one whose ledger was last signed here. If it was restored from a backup, see \
         “After a restore” in docs/OPERATING.md",
    )?;
    let edge = Edge::new(app.clone()).await?;
    let router = router(edge);
    let running = Jobs::new(app.clone()).start().await?;
    let stop = Stop::new();
    stop.on_signals()?;
    if development {
        greeting::development(&app, say).await?;
    } else {
        greeting::production(&app, say);
    }
    let served = serve(listener, router, &stop).await;
    running.stop().await;
    app.close().await;
    served?;
    say.line("Stopped.");
    Ok(status(true))
}

/// The API, and the pages with the desk; what is nobody's is answered by the pages.
fn router(edge: Edge) -> Router {
    http::routes(&edge).merge(web::router(edge))
}

/// Serves until a stop is asked for; then takes no new calls and waits for those under way, until they end, their grace
/// is over, or a stop is asked for once more.
async fn serve(listener: TcpListener, router: Router, stop: &Stop) -> anyhow::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let asked = stop.clone();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { asked.asked().await });
    let over = async {
        stop.asked().await;
        tokio::select! {
            () = stop.insisted() => {}
            () = tokio::time::sleep(GRACE) => {}
        }
    };
    tokio::select! {
        served = serving.into_future() => served.context("serving ended"),
        () = over => Ok(()),
    }
}
