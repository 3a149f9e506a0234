//! Edits: what we add to a provider's own time, from the asking to the result sealed and told, over its real protocol.

use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::TimeDelta;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use vouchsafe::app::{App, Setup, load_documents};
use vouchsafe::base::{Clock, Entropy};
use vouchsafe::config::{Config, FalAi};
use vouchsafe::edge::Edge;
use vouchsafe::editing::NewEdit;
use vouchsafe::fakes::{FakeFal, Options, Pace};
use vouchsafe::imaging::{Format, sample};
use vouchsafe::jobs::Jobs;
use vouchsafe::mail;
use vouchsafe::subjects::NewAccount;
use vouchsafe::vault::{Actor, Owner};

use super::ground::{Where, folder, runtime};
use super::measure::{Board, Goal, Outcome};

/// How long the provider takes for an edit.
const THEIRS: TimeDelta = TimeDelta::seconds(2);
/// Edits in a row.
const EDITS: usize = 15;

pub(crate) fn run(board: &mut Board) -> Outcome {
    for (name, told, goals) in [("edit-asked", false, [1.4, 1.6]), ("edit-told", true, [1.15, 1.3])] {
        if !board.wants(&[name]) {
            continue;
        }
        let mut times = runtime()?.block_on(measure(told))?;
        times.sort_unstable();
        let theirs = THEIRS.to_std()?.as_secs_f64();
        for (percent, goal) in [50, 95].into_iter().zip(goals) {
            let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
            let ours = times.get(at).copied().unwrap_or_default().as_secs_f64();
            let behind = format!(
                "{:.0} ms besides the provider's {theirs:.0} s, {percent} of 100 are no slower",
                (ours - theirs) * 1e3
            );
            board.tell(&format!("{name}-p{percent}"), ours / theirs, Goal::AtMost(goal), &behind);
        }
    }
    Ok(())
}

/// A service that edits through a stand-in, with its worker running. Ends with this.
struct House {
    app: App,
    owner: Owner,
    _stop: DropGuard,
}

/// `told`: the provider's webhooks reach us; otherwise it is only asked.
async fn open(at: &std::path::Path, told: bool) -> Outcome<House> {
    let options = Options {
        clock: Clock::system(),
        entropy: Entropy::system(),
        pace: Pace::After(THEIRS),
        deliver: told,
    };
    let (fake, listening) = FakeFal::bind("127.0.0.1:0".parse()?, options).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut config = Config::throwaway(at);
    config.providers.callback_url =
        Some(if told { format!("http://{}", listener.local_addr()?) } else { "none".to_owned() });
    config.providers.fal = Some(FalAi {
        key: FakeFal::KEY.to_owned().into(),
        admin_key: FakeFal::ADMIN_KEY.to_owned().into(),
        user_id: None,
        base: Some(fake.base().to_owned()),
    });
    let documents = load_documents(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"))?;
    let app = App::open(Setup {
        config,
        clock: Clock::system(),
        entropy: Entropy::system(),
        documents,
        mail: Some(mail::Settings::Recorded),
        blobs: None,
        redrawer: Some(env!("CARGO_BIN_EXE_vouchsafe").into()),
        logs: None,
    })
    .await?;
    let account = NewAccount {
        email: "person@example.org".parse()?,
        name: "A person".to_owned(),
        username: "person".to_owned(),
    };
    let owner = app.subjects.open(&"flux-kontext".parse()?, account).await?;
    app.credits.grant(&owner, 100, "granted").await?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    tasks.spawn(listening.run(stop.clone().cancelled_owned()));
    let edge = Edge::new(app.clone()).await?;
    tasks.spawn(vouchsafe::http::serve(
        edge,
        (listener, None),
        axum::Router::new(),
        stop.clone().cancelled_owned(),
    ));
    let running = Jobs::new(app.clone()).start().await?;
    let stopped = stop.clone();
    tasks.spawn(async move {
        stopped.cancelled().await;
        running.stop().await;
    });
    Ok(House { app, owner, _stop: stop.drop_guard() })
}

async fn measure(told: bool) -> Outcome<Vec<Duration>> {
    let folder = folder(Where::Memory)?;
    let house = open(folder.path(), told).await?;
    let mut times = Vec::with_capacity(EDITS);
    for n in 0..=EDITS {
        let time = one(&house, n as u64).await?;
        // The first one opens connections and warms caches.
        if n > 0 {
            times.push(time);
        }
    }
    Ok(times)
}

async fn one(house: &House, seed: u64) -> Outcome<Duration> {
    let House { app, owner, .. } = house;
    let actor = Actor::Subject(owner.subject);
    let photograph = Bytes::from(sample::photograph(seed, "a bench's", Format::Jpeg)?);
    let image = app.editing.upload(owner, &actor, photograph).await?.id;
    let mut steps = app.editing.progress().listen();
    let begun = Instant::now();
    let new = NewEdit { inputs: vec![image], prompt: "make it rain".to_owned(), ..NewEdit::default() };
    let edit = app.editing.create(owner, &actor, new).await?.id;
    loop {
        let step = steps.recv().await?;
        if step.edit == edit && step.state.is_over() {
            return Ok(begun.elapsed());
        }
    }
}
