//! The ledger's part of storing a picture, how many entries it takes in, and what many writers, and many uploads at once, get.

use futures_util::future::try_join_all;
use vouchsafe::app::App;
use vouchsafe::ledger::{Entry, EntryKind};
use vouchsafe::vault::Owner;

use super::ground::{Ground, Where, noise, put};
use super::measure::{Board, By, Goal, Outcome, Pairs, cost, median, pairs};

/// As many entries as one signature takes in.
const BATCH: u32 = 256;
/// As many commits as share a sync in the service.
const TOGETHER: usize = 64;

pub(crate) fn run(board: &mut Board) -> Outcome {
    if board.wants(&["ledger-part"]) {
        part(board)?;
    }
    if board.wants(&["ledger-rate"]) {
        rate(board)?;
    }
    if board.wants(&["commits-64", "commits-1"]) {
        commits(board)?;
    }
    if board.wants(&["uploads-8", "uploads-32"]) {
        uploads(board)?;
    }
    Ok(())
}

/// An entry as the vault writes one for a picture.
fn entry(app: &App, owner: &Owner) -> Result<Entry, vouchsafe::ledger::Error> {
    let about = "0123456789abcdef0123456789abcdef".parse()?;
    Ok(Entry::new(EntryKind::OBJECT_STORED, app.clock.now(), &owner.tenant, "service")
        .about(about)
        .fact("category", "output-image")
        .fact("object", owner.subject.to_string().as_str())
        .fact("key", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"))
}

/// Writes a batch in one transaction.
async fn append(app: &App, owner: &Owner, n: u32) -> Outcome {
    let mut tx = app.db.begin().await?;
    for _ in 0..n {
        app.ledger.append(&mut tx, entry(app, owner)?).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// One entry, its share of a batch and of its signature, beside a whole put of 1 MiB.
fn part(board: &mut Board) -> Outcome {
    let ground = Ground::new(Where::Memory)?;
    let (app, owner) = (&ground.app, &ground.owner);
    let picture = noise(1 << 20);
    let put = || ground.put(&picture).map(|_| ());
    ground.run.block_on(async { app.ledger.sequence().await })?;
    put()?;
    let mut costs = Vec::new();
    for _ in 0..9 {
        let mut whole = std::time::Duration::ZERO;
        for _ in 0..8 {
            whole += cost(By::Cpu, put)?;
        }
        ground.run.block_on(async { app.ledger.sequence().await })?;
        let entries = cost(By::Cpu, || {
            ground.run.block_on(async {
                append(app, owner, BATCH).await?;
                app.ledger.sequence().await?;
                Ok(())
            })
        })?;
        costs.push((whole / 8, entries / BATCH));
    }
    let both = Pairs::of(costs);
    let (put, one) = both.millis();
    let behind = format!("{:.0} µs of CPU an entry, {:.0} µs a put of 1 MiB", one * 1e3, put * 1e3);
    board.tell("ledger-part", both.cost(), Goal::AtMost(0.05), &behind);
    Ok(())
}

/// Entries a second on a disk, written in batches and sequenced.
fn rate(board: &mut Board) -> Outcome {
    const BATCHES: u32 = 8;
    let ground = Ground::new(Where::Disk)?;
    let (app, owner) = (&ground.app, &ground.owner);
    let mut rates = Vec::new();
    for _ in 0..5 {
        let took = cost(By::Wall, || {
            ground.run.block_on(async {
                for _ in 0..BATCHES {
                    append(app, owner, BATCH).await?;
                }
                app.ledger.sequence().await?;
                Ok(())
            })
        })?;
        rates.push(f64::from(BATCH * BATCHES) / took.as_secs_f64());
    }
    let rate = median(rates.into_iter());
    let behind = format!("{rate:.0} entries a second on the wall, durable and signed; the goal is 1,000");
    board.tell("ledger-rate", rate / 1000.0, Goal::AtLeast(1.0), &behind);
    Ok(())
}

/// 64 writers at once, sharing their syncs of the disk as the service lets them, against each commit with a sync of its
/// own; and what sharing costs a writer who is alone.
fn commits(board: &mut Board) -> Outcome {
    const CLIENTS: u32 = 64;
    const EACH: u32 = 4;
    let ground = Ground::new(Where::Disk)?;
    let (app, owner) = (&ground.app, &ground.owner);
    let write = |clients: u32, each: u32, together: usize| -> Outcome {
        app.db.share_commits(together);
        ground.run.block_on(try_join_all((0..clients).map(|_| async {
            for _ in 0..each {
                append(app, owner, 1).await?;
            }
            Outcome::Ok(())
        })))?;
        Ok(())
    };
    let both = pairs(By::Wall, 7, || write(CLIENTS, EACH, 1), || write(CLIENTS, EACH, TOGETHER))?;
    let (apart, shared) = both.millis();
    let each = f64::from(CLIENTS * EACH);
    let behind = format!(
        "{CLIENTS} clients: {:.0} durable commits a second together, {:.0} one by one",
        each / shared * 1e3,
        each / apart * 1e3
    );
    board.tell("commits-64", both.speed(), Goal::AtLeast(4.0), &behind);
    let alone = pairs(By::Wall, 7, || write(1, 64, 1), || write(1, 64, TOGETHER))?;
    let (apart, shared) = alone.millis();
    let behind =
        format!("a lone writer's commit takes {:.2} ms, {:.2} without sharing", shared / 64.0, apart / 64.0);
    board.tell("commits-1", alone.cost(), Goal::AtMost(1.1), &behind);
    Ok(())
}

/// Uploads of 16 KiB at once, whole: intent, key, bytes, row, ledger entry, all durable; with syncs shared and without.
fn uploads(board: &mut Board) -> Outcome {
    const EACH: u32 = 4;
    let ground = Ground::new(Where::Disk)?;
    let (app, owner) = (&ground.app, &ground.owner);
    let picture = noise(16 << 10);
    let upload = |clients: u32, together: usize| -> Outcome {
        app.db.share_commits(together);
        app.keys.share_commits(together);
        ground.run.block_on(try_join_all((0..clients).map(|_| async {
            for _ in 0..EACH {
                put(app, owner, &picture).await?;
            }
            Outcome::Ok(())
        })))?;
        Ok(())
    };
    for (name, clients, goal) in [("uploads-8", 8, 1.2), ("uploads-32", 32, 1.5)] {
        let both = pairs(By::Wall, 7, || upload(clients, 1), || upload(clients, TOGETHER))?;
        let (apart, shared) = both.millis();
        let all = f64::from(clients * EACH);
        let behind = format!(
            "{clients} clients: {:.0} uploads a second with syncs shared, {:.0} without",
            all / shared * 1e3,
            all / apart * 1e3
        );
        board.tell(name, both.speed(), Goal::AtLeast(goal), &behind);
    }
    Ok(())
}
