//! T16: the power goes at a random moment. T17: the process stops before each of its calls that change the disk, one after
//! the other, by `kill -9` and by a loss of power in turns.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::disk::{Death, Disk, Leaves};
use super::home::Home;
use super::killed::look_behind;
use super::load::{Deed, Load};
use super::{Chance, tell};

/// The longest a service lives before the power goes, in milliseconds.
const LONGEST_LIFE: usize = 400;

/// What was lost, and in which round; nothing, when all outlived every one. The very first start is one of them.
async fn losses(
    disk: Disk,
    rounds: usize,
    chance: &Chance,
    uploads_alone: bool,
) -> Result<usize, (usize, String)> {
    let home = Home::new(disk, true);
    let mut service = home.start().await.unwrap();
    let key = home.api_key().await;
    let mut load = Load::new(&service.calls, key, 4).await;
    for round in 0..rounds {
        let life = Duration::from_millis(chance.below(LONGEST_LIFE) as u64);
        let calls = service.calls.clone();
        let (faults, ()) = tokio::join!(load.run(&calls, chance, uploads_alone), async {
            // The moment is the point.
            tokio::time::sleep(life).await;
            service.kill().await;
        });
        assert!(faults.is_empty(), "seed {}, round {round}: {faults:#?}", chance.seed);
        home.disk.lose_power(if round % 2 == 0 { Leaves::Nothing } else { Leaves::Some(chance) });
        service = home.start().await.map_err(|e| (round, format!("it does not start: {e}")))?;
        let wrong = load.look(&service.calls).await;
        if !wrong.is_empty() {
            return Err((round, format!("{wrong:#?}")));
        }
    }
    service.stop().await;
    let wrong = look_behind(&home, &load).await;
    if wrong.is_empty() { Ok(load.acknowledged) } else { Err((rounds, format!("{wrong:#?}"))) }
}

async fn power_cuts(rounds: usize) {
    let chance = Chance::fresh();
    match losses(Disk::new(), rounds, &chance, false).await {
        Ok(_) if rounds < 100 => {}
        Ok(n) => {
            tell(&format!("T16: {rounds} losses of power, {n} acknowledged, 0 lost (seed {})", chance.seed));
        }
        Err((round, lost)) => panic!("seed {}, round {round}: {lost}", chance.seed),
    }
}

/// The control: the same service on a disk that forgets what it was asked to keep of these files, as if it had not been
/// asked. What it acknowledged must be lost, or the test could not see it.
async fn without_syncs_of(what: &'static str) {
    let chance = Chance::fresh();
    let lost = losses(Disk::forgetting(what), 6, &chance, true).await;
    let Err((round, lost)) = lost else {
        panic!("nothing was lost without syncs of {what}, seed {}", chance.seed)
    };
    tell_if_soaking(&format!(
        "T16, control without syncs of {what}: lost in round {round}: {}",
        short(&lost)
    ));
}

fn short(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect()
}

fn tell_if_soaking(line: &str) {
    #[expect(clippy::disallowed_methods, reason = "the soak is told by the environment that it is one")]
    if std::env::var("VOUCHSAFE_SOAK").is_ok() {
        tell(line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_the_power() {
    power_cuts(8).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "for the soak: three hundred losses of power"]
async fn what_was_acknowledged_outlives_three_hundred_losses_of_power() {
    power_cuts(300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_synced_loses_what_was_acknowledged() {
    without_syncs_of("vouchsafe.db-wal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_that_are_not_synced_are_lost() {
    without_syncs_of("/blobs/").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "for the soak: what else must be synced"]
async fn keys_that_are_not_synced_are_lost() {
    without_syncs_of("keystore.db-wal").await;
    without_syncs_of("/keys").await;
}

/// Rows that a bare SQLite acknowledged and that were gone after the power was, over so many cycles.
async fn rows_lost(synchronous: &str, cycles: usize) -> usize {
    const WRITER: &str = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        db.execute('PRAGMA journal_mode=WAL')\n\
        db.execute('PRAGMA synchronous=' + sys.argv[2])\n\
        db.execute('CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)')\n\
        n = db.execute('SELECT coalesce(max(n), 0) FROM t').fetchone()[0]\n\
        print(n, flush=True)\n\
        while True:\n    n += 1\n    db.execute('INSERT INTO t VALUES (?)', (n,))\n    print(n, flush=True)\n";
    let (disk, chance) = (Disk::new(), Chance::fresh());
    let path = disk.root().join("bare.db");
    let (mut acknowledged, mut lost) = (0, 0);
    for cycle in 0..=cycles {
        let mut command = Command::new("python3");
        command.args(["-c", WRITER]).arg(&path).arg(synchronous).stdout(Stdio::piped()).kill_on_drop(true);
        disk.under(&mut command);
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut number = async || said.next_line().await.unwrap().unwrap().parse::<usize>().unwrap();
        let found = number().await;
        lost += acknowledged - found.min(acknowledged);
        acknowledged = found;
        if cycle == cycles {
            break;
        }
        for _ in 0..=chance.below(60) {
            acknowledged = number().await;
        }
        child.kill().await.unwrap();
        disk.lose_power(Leaves::Nothing);
    }
    lost
}

/// The shim itself, with a SQLite that is not ours: only `synchronous=FULL` keeps what it acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn of_sqlites_ways_to_sync_only_full_keeps_its_word() {
    let cycles = 12;
    assert_eq!(rows_lost("FULL", cycles).await, 0);
    let (normal, off) = (rows_lost("NORMAL", cycles).await, rows_lost("OFF", cycles).await);
    assert!(normal > 0 && off > 0, "NORMAL lost {normal} rows, OFF lost {off}");
    tell_if_soaking(&format!("T16, controls, {cycles} cycles: FULL lost 0, NORMAL {normal}, OFF {off}"));
}

/// Does `deed` again and again, each time with the process stopped one call later. How many of these points were met.
async fn stopped_everywhere(deed: Deed, at: fn(i64) -> Death) -> i64 {
    let home = Home::new(Disk::new(), true);
    let mut service = home.start().await.unwrap();
    let key = home.api_key().await;
    let mut load = Load::new(&service.calls, key, 1).await;
    let (mut point, mut met) = (1, 0);
    loop {
        if deed != Deed::Upload {
            // So that there is something to delete and to edit.
            load.one(&service.calls, Deed::Upload).await.unwrap();
        }
        home.disk.stop_at(Some(at(point)));
        let told = load.one(&service.calls, deed).await;
        if told.is_some() {
            // The whole deed has fewer calls than that.
            home.disk.stop_at(None);
            service.kill().await;
        } else {
            service.ended().await;
            met += 1;
        }
        home.disk.stop_at(None);
        if point % 2 == 0 {
            home.disk.lose_power(Leaves::Nothing);
        }
        service = home.start().await.unwrap_or_else(|e| panic!("{deed:?}, point {point}: {e}"));
        let wrong = load.look(&service.calls).await;
        assert!(wrong.is_empty(), "{deed:?}, point {point}: {wrong:#?}");
        // One that is cut off twenty times in a row is set aside; here each is to be cut off once.
        load.wait_for_edits(&service.calls).await;
        if told.is_some() {
            break;
        }
        point += 1;
    }
    service.stop().await;
    let wrong = look_behind(&home, &load).await;
    assert!(wrong.is_empty(), "{deed:?}: {wrong:#?}");
    met
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_stopped_before_any_of_its_syncs_is_done_or_not() {
    let met = stopped_everywhere(Deed::Upload, Death::BySync).await;
    assert!(met >= 5, "only {met}: intent, key, bytes, name and row are each synced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_stopped_before_any_of_its_syncs_is_done_or_not() {
    let met = stopped_everywhere(Deed::Delete, Death::BySync).await;
    assert!(met >= 3, "only {met}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "for the soak: every call that changes the disk, of every deed"]
async fn whatever_is_stopped_anywhere_is_done_or_not() {
    for deed in [Deed::Upload, Deed::Delete, Deed::Edit, Deed::Consent, Deed::Erase] {
        let met = stopped_everywhere(deed, Death::ByChange).await;
        tell(&format!("T17: {deed:?} stopped before each of {met} calls, done or not each time"));
    }
}
