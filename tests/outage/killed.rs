//! T15: `kill -9` at a random moment of a mixed load, over and over on one installation.

use std::collections::BTreeSet;
use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::TryStreamExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use vouchsafe::app::{App, Setup, load_documents};
use vouchsafe::base::{Clock, Entropy};
use vouchsafe::blobs::KeyPrefix;
use vouchsafe::edge::Edge;
use vouchsafe::jobs::{Jobs, Task};
use vouchsafe::mail;
use vouchsafe::on;

use super::disk::Disk;
use super::home::Home;
use super::load::Load;
use super::program::Calls;
use super::{Chance, tell};

const PEOPLE: usize = 6;
/// The longest a service lives before it is killed, in milliseconds.
const LONGEST_LIFE: usize = 600;

async fn kills(rounds: usize) {
    let chance = Chance::fresh();
    let home = Home::new(Disk::new(), false);
    let mut service = home.start().await.unwrap();
    let key = home.api_key().await;
    let mut load = Load::new(&service.calls, key, PEOPLE).await;
    let (mut in_all, mut at_work) = (0, 0);
    for round in 0..rounds {
        let life = Duration::from_millis(chance.below(LONGEST_LIFE) as u64);
        let calls = service.calls.clone();
        let (faults, under_way) = tokio::join!(load.run(&calls, &chance, false), async {
            // The moment is the point.
            tokio::time::sleep(life).await;
            let under_way = calls.under_way();
            service.kill().await;
            under_way
        });
        in_all += under_way;
        at_work += usize::from(under_way > 0);
        assert!(faults.is_empty(), "seed {}, round {round}: {faults:#?}", chance.seed);
        service = home.start().await.unwrap_or_else(|e| panic!("seed {}, round {round}: {e}", chance.seed));
        let wrong = load.look(&service.calls).await;
        assert!(wrong.is_empty(), "seed {}, round {round}: {wrong:#?}", chance.seed);
    }
    assert!(
        load.acknowledged > 3 * rounds,
        "only {} in {rounds} rounds: nothing was at work",
        load.acknowledged
    );
    // A service that is idle when it is killed shows nothing.
    assert!(
        at_work * 4 >= rounds * 3 && in_all >= rounds,
        "of {rounds} kills {at_work} met a call that changes something, {in_all} in all"
    );
    service.stop().await;
    let wrong = look_behind(&home, &load).await;
    assert!(wrong.is_empty(), "seed {}: {wrong:#?}", chance.seed);
    if rounds > 100 {
        tell(&format!(
            "T15: {rounds} kills, {at_work} of them amid {in_all} calls, {} acknowledged, 0 lost, 0 twice, 0 back, ledger whole, no orphan (seed {})",
            load.acknowledged, chance.seed
        ));
    }
}

/// What is wrong once all work is done: edits not made, or paid for twice; what lies on the disk and nobody knows of, after
/// two sweeps at later times; a ledger that is not whole.
pub(super) async fn look_behind(home: &Home, load: &Load) -> Vec<String> {
    let config = home.config();
    let documents = load_documents(&config.data.policies).unwrap();
    let (clock, hand) = Clock::manual(Clock::system().now());
    let setup = Setup {
        config,
        clock,
        entropy: Entropy::system(),
        documents,
        mail: Some(mail::Settings::Recorded),
        blobs: None,
        redrawer: Some(env!("CARGO_BIN_EXE_vouchsafe").into()),
        logs: None,
    };
    let app = App::open(setup).await.unwrap();
    let jobs = Jobs::new(app.clone());
    for _ in 0..2 {
        // Longer than an upload may be under way; shorter than the shortest rule lets an image stay.
        hand.advance(TimeDelta::hours(4));
        while jobs.work().await.unwrap() > 0 {}
        for task in [Task::Arrivals, Task::Graves] {
            jobs.reconcile(task, &|| false).await.unwrap();
        }
    }
    let (calls, _serving) = serve(&app).await;
    let mut wrong = load.reckon(&calls).await;
    let listed: Vec<_> = app.blobs.list(KeyPrefix::all(), None).try_collect().await.unwrap();
    let there: BTreeSet<_> = listed.iter().map(|blob| blob.key.to_string()).collect();
    let mut tx = app.db.read().await.unwrap();
    let rows: Vec<(String, String)> =
        on!(tx, |c| sqlx::query_as("SELECT blob_key, state FROM object").fetch_all(c).await).unwrap();
    let live: BTreeSet<_> =
        rows.iter().filter(|(_, state)| state == "live").map(|(key, _)| key.clone()).collect();
    wrong.extend(rows.iter().filter(|(_, state)| state != "live").map(|row| format!("half done: {row:?}")));
    wrong.extend(there.difference(&live).map(|key| format!("bytes without a row: {key}")));
    wrong.extend(live.difference(&there).map(|key| format!("a row without its bytes: {key}")));
    match app.ledger.fsck().await {
        Ok(report) => {
            wrong.extend(report.faults.iter().map(|fault| format!("the ledger is not whole: {fault}")));
        }
        Err(e) => wrong.push(format!("the ledger is not whole: {e}")),
    }
    drop(tx);
    app.close().await;
    wrong
}

/// Serves it on a port of its own, until what is given back is dropped.
async fn serve(app: &App) -> (Calls, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let calls = Calls::to(listener.local_addr().unwrap().port());
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let edge = Edge::new(app.clone()).await.unwrap();
    let router = vouchsafe::http::router(edge).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, router).with_graceful_shutdown(stopped).into_future();
    #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
    tokio::spawn(served);
    (calls, stop.drop_guard())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_kill_9() {
    kills(12).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "for the soak: a thousand kills"]
async fn what_was_acknowledged_outlives_a_thousand_kills() {
    kills(1000).await;
}
