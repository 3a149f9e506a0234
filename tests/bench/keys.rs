//! Keys: destroying a person's costs the same however much they had, and all of them can be wrapped anew soon enough.

use std::time::Duration;

use vouchsafe::base::SubjectId;
use vouchsafe::keystore::{Class, NewItem};
use vouchsafe::on;
use vouchsafe::store::{Db, KEYSTORE, SqliteSettings};
use vouchsafe::vault::Owner;

use super::ground::{Ground, Where};
use super::measure::{Board, By, Goal, Outcome, Pairs, cost};
use super::sweep::{FILL_KEYS, FILL_OBJECTS};

pub(crate) fn run(board: &mut Board) -> Outcome {
    if board.wants(&["erase-1000", "erase-100000"]) {
        erase(board)?;
    }
    if board.wants(&["erase-person-1000"]) || board.names("erase-person-100000") {
        erase_person(board)?;
    }
    if board.wants(&["rewrap"]) {
        rewrap(board)?;
    }
    Ok(())
}

fn key_of(owner: &Owner) -> vouchsafe::keystore::Owner<'_> {
    vouchsafe::keystore::Owner { tenant: &owner.tenant, subject: owner.subject }
}

/// Destroying the key of a person with ten, a thousand and a hundred thousand things, in turns.
fn erase(board: &mut Board) -> Outcome {
    const TURNS: usize = 9;
    let ground = Ground::new(Where::Memory)?;
    let path = ground.path().join("keystore.db");
    let keys = ground.run.block_on(Db::sqlite(SqliteSettings { path: &path, readers: 1 }, &KEYSTORE))?;
    let mut next = 0;
    let mut turns: Vec<Vec<Owner>> = Vec::new();
    for _ in 0..=TURNS {
        let mut turn = Vec::new();
        for n in [10, 1_000, 100_000] {
            turn.push(person(&ground, &keys, next, n)?);
            next += n;
        }
        turns.push(turn);
    }
    let mut costs: Vec<Vec<Duration>> = Vec::new();
    for turn in &turns {
        costs.push(turn.iter().map(|owner| destroy(&ground, owner)).collect::<Outcome<_>>()?);
    }
    for (name, which, n) in [("erase-1000", 1, 1_000), ("erase-100000", 2, 100_000)] {
        let pairs = costs.iter().skip(1).filter_map(|c| Some((*c.first()?, *c.get(which)?)));
        let both = Pairs::of(pairs.collect());
        let (ten, ours) = both.millis();
        let behind = format!("unreadable after {ours:.2} ms of CPU with {n} things, {ten:.2} ms with 10");
        board.tell(name, both.cost(), Goal::AtMost(1.5), &behind);
    }
    Ok(())
}

fn person(ground: &Ground, keys: &Db, first: i64, n: i64) -> Outcome<Owner> {
    let subject = SubjectId::new(&ground.app.clock, &ground.app.entropy);
    let owner = Owner::new(&ground.owner.tenant, subject);
    ground.run.block_on(async {
        ground.app.keys.create_subject(key_of(&owner)).await?;
        let mut tx = keys.begin().await?;
        on!(tx, |c| sqlx::query(FILL_KEYS)
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(first)
            .bind(first + n - 1)
            .bind("obj_%032x")
            .execute(c)
            .await
            .map(|_| ()))?;
        tx.commit().await?;
        Ok(owner)
    })
}

fn destroy(ground: &Ground, owner: &Owner) -> Outcome<Duration> {
    cost(By::Cpu, || {
        ground.run.block_on(ground.app.keys.destroy_subject(key_of(owner), Class::Data))?;
        Ok(())
    })
}

/// Erasing a person from the fence to the proof, with ten pictures, a thousand and, if that was asked for by name, a hundred
/// thousand: what each picture costs beside what it costs one who has ten.
fn erase_person(board: &mut Board) -> Outcome {
    const TURNS: usize = 5;
    let ground = Ground::new(Where::Memory)?;
    let path = ground.path().join("keystore.db");
    let keys = ground.run.block_on(Db::sqlite(SqliteSettings { path: &path, readers: 1 }, &KEYSTORE))?;
    let mut next = 0;
    let mut one = |n: i64| -> Outcome<Duration> {
        let owner = with_pictures(&ground, &keys, next, n)?;
        next += n;
        let mut gone = 0;
        let took = cost(By::Cpu, || {
            let role = vouchsafe::policy::Role::Service;
            let done = ground.run.block_on(ground.app.requests.erase(&owner, role))?;
            gone = done.ok_or("a hold stands against it")?.images;
            Ok(())
        })?;
        if gone == n { Ok(took) } else { Err(format!("{gone} of {n} pictures were erased").into()) }
    };
    one(10)?;
    if board.wants(&["erase-person-1000"]) {
        let costs =
            (0..TURNS).map(|_| Ok((one(10)? / 10, one(1_000)? / 1_000))).collect::<Outcome<Vec<_>>>()?;
        tell_person(board, "erase-person-1000", 1_000, &Pairs::of(costs));
    }
    if board.names("erase-person-100000") {
        let costs = vec![(one(10)? / 10, one(100_000)? / 100_000)];
        tell_person(board, "erase-person-100000", 100_000, &Pairs::of(costs));
    } else {
        Board::skip("erase-person-100000", "it takes minutes: make bench ARGS=erase-person-100000");
    }
    Ok(())
}

fn tell_person(board: &mut Board, name: &str, n: u32, both: &Pairs) {
    let (few, many) = both.millis();
    let behind = format!(
        "{:.2} s of CPU from the fence to the proof with {n} pictures, {many:.2} ms each; {few:.2} ms each with 10",
        many * f64::from(n) / 1e3
    );
    board.tell(name, both.cost(), Goal::AtMost(1.0), &behind);
}

/// An account with this many pictures: rows and keys. Of their bytes nothing is there, as after a first deletion.
fn with_pictures(ground: &Ground, keys: &Db, first: i64, n: i64) -> Outcome<Owner> {
    let account = vouchsafe::subjects::NewAccount {
        email: format!("person{first}@example.org").parse()?,
        name: "A person".to_owned(),
        username: format!("person{first}"),
    };
    let tenant = &ground.owner.tenant;
    let owner = ground.run.block_on(ground.app.subjects.open(tenant, account))?;
    ground.run.block_on(async {
        for (db, statement, last) in
            [(&ground.app.db, FILL_OBJECTS, None), (keys, FILL_KEYS, Some("obj_%032x"))]
        {
            let mut tx = db.begin().await?;
            on!(tx, |c| {
                let query = sqlx::query(statement)
                    .bind(owner.tenant.as_str())
                    .bind(owner.subject.to_string())
                    .bind(first)
                    .bind(first + n - 1);
                let query = match last {
                    Some(name) => query.bind(name),
                    None => query.bind(4_000_000_000_000_000_i64),
                };
                query.execute(c).await.map(|_| ())
            })?;
            tx.commit().await?;
        }
        Ok(owner)
    })
}

/// Wrapping a million keys of a thousand people under a new epoch, on the disk, while the keystore stays open for others.
fn rewrap(board: &mut Board) -> Outcome {
    const PEOPLE: u32 = 1_000;
    const EACH: u32 = 1_000;
    let ground = Ground::new(Where::Memory)?;
    let keys = &ground.app.keys;
    for person in 0..PEOPLE {
        let subject = SubjectId::new(&ground.app.clock, &ground.app.entropy);
        let owner = Owner::new(&ground.owner.tenant, subject);
        let names: Vec<_> = (0..EACH).map(|n| format!("obj_{person}_{n}")).collect();
        let items = names.iter().map(|item| NewItem { item, kind: "output-image", key: None }).collect();
        ground.run.block_on(async {
            keys.create_subject(key_of(&owner)).await?;
            keys.mint(key_of(&owner), items).await
        })?;
    }
    let mut wrapped = 0;
    let took = cost(By::Cpu, || {
        wrapped = ground.run.block_on(keys.rotate())?.items;
        Ok(())
    })?;
    if wrapped < u64::from(PEOPLE * EACH) {
        return Err(format!("only {wrapped} keys were wrapped anew").into());
    }
    let rate = f64::from(PEOPLE * EACH) / took.as_secs_f64();
    let behind =
        format!("{rate:.0} keys a second of CPU, a million of them; the goal is a million in a minute");
    board.tell("rewrap", rate / (1e6 / 60.0), Goal::AtLeast(1.0), &behind);
    Ok(())
}
