//! The ledger's part of storing a picture, how many entries it takes in, and what many writers at once get.

use futures_util::future::try_join_all;
use vouchsafe::app::App;
use vouchsafe::ledger::{Entry, EntryKind};
use vouchsafe::vault::Owner;

use super::ground::{Ground, Where, noise};
use super::measure::{Board, By, Goal, Outcome, Pairs, cost, median, pairs};

/// As many entries as one signature takes in.
const BATCH: u32 = 256;

pub(crate) fn run(board: &mut Board) -> Outcome {
    if board.wants(&["ledger-part"]) {
        part(board)?;
    }
    if board.wants(&["ledger-rate"]) {
        rate(board)?;
    }
    if board.wants(&["commits-64"]) {
        commits(board)?;
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

/// 64 writers at once as the service has them, against each in a transaction of its own. The service has no group commit
/// yet, so the two are the same thing done by two hands; what one transaction for all would give is told beside it.
fn commits(board: &mut Board) -> Outcome {
    const CLIENTS: u32 = 64;
    const EACH: u32 = 4;
    let ground = Ground::new(Where::Disk)?;
    let (app, owner) = (&ground.app, &ground.owner);
    let through_the_service = || -> Outcome {
        ground.run.block_on(try_join_all((0..CLIENTS).map(|_| async {
            for _ in 0..EACH {
                append(app, owner, 1).await?;
            }
            Outcome::Ok(())
        })))?;
        Ok(())
    };
    let one_by_one = || -> Outcome {
        ground.run.block_on(async {
            for _ in 0..CLIENTS * EACH {
                append(app, owner, 1).await?;
            }
            Ok(())
        })
    };
    let both = pairs(By::Wall, 5, one_by_one, through_the_service)?;
    let grouped = pairs(By::Wall, 5, one_by_one, || {
        ground.run.block_on(async {
            for _ in 0..EACH {
                append(app, owner, CLIENTS).await?;
            }
            Ok(())
        })
    })?;
    let behind = format!(
        "{CLIENTS} clients; no group commit yet: one transaction for all of them would be {:.1} times as fast",
        grouped.speed()
    );
    board.tell("commits-64", both.speed(), Goal::AtLeast(4.0), &behind);
    Ok(())
}
