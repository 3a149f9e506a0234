//! Damage done at random to whatever lies on a disk, and what is then served: what was stored, or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use sqlx::AssertSqlSafe;
use vouchsafe::base::{EntryId, RecordId};
use vouchsafe::ledger::{Entry, EntryKind, Receipt};
use vouchsafe::on;
use vouchsafe::store::Db;
use vouchsafe::vault::{Access, Actor, Owner, StoredObject};

use crate::each_house;
use crate::support::chance::{Chance, soaking, tell};
use crate::support::house::{House, tenant};

/// A column of a row that can be told from all others by one value.
#[derive(Clone, Copy)]
struct Cell {
    /// Whether it lies in the keystore.
    keys: bool,
    table: &'static str,
    row: &'static str,
    column: &'static str,
    holds: Holds,
    /// Whether any change must be found by whoever reads. What is not bound is of no use to whoever changes it.
    bound: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Bytes,
    Text,
    Number,
}

const fn cell(
    keys: bool,
    table: &'static str,
    row: &'static str,
    column: &'static str,
    holds: Holds,
) -> Cell {
    Cell { keys, table, row, column, holds, bound: true }
}

const fn loose(
    keys: bool,
    table: &'static str,
    row: &'static str,
    column: &'static str,
    holds: Holds,
) -> Cell {
    Cell { bound: false, ..cell(keys, table, row, column, holds) }
}

const CELLS: &[Cell] = &[
    cell(false, "object", "id", "meta", Holds::Bytes),
    cell(false, "object", "id", "category", Holds::Text),
    cell(false, "object", "id", "subject", Holds::Text),
    cell(false, "object", "id", "blob_key", Holds::Text),
    loose(false, "object", "id", "cipher_len", Holds::Number),
    loose(false, "object", "id", "kfp", Holds::Bytes),
    cell(false, "record", "id", "sealed", Holds::Bytes),
    cell(false, "record", "id", "category", Holds::Text),
    cell(false, "record", "id", "subject", Holds::Text),
    cell(false, "record", "id", "revision", Holds::Number),
    loose(false, "record", "id", "kfp", Holds::Bytes),
    cell(false, "ledger_entry", "id", "leaf", Holds::Bytes),
    cell(false, "ledger_entry", "id", "kind", Holds::Text),
    cell(false, "ledger_entry", "id", "happened_at", Holds::Number),
    cell(false, "ledger_tile", "n", "hashes", Holds::Bytes),
    cell(false, "ledger_checkpoint", "size", "note", Holds::Text),
    cell(true, "item_key", "item", "wrapped", Holds::Bytes),
    cell(true, "item_key", "item", "kind", Holds::Text),
    cell(true, "item_key", "item", "subject", Holds::Text),
    cell(true, "item_key", "item", "epoch", Holds::Number),
    cell(true, "item_key", "item", "id", Holds::Text),
    cell(true, "subject_key", "id", "wrapped", Holds::Bytes),
    cell(true, "subject_key", "id", "epoch", Holds::Number),
    cell(true, "subject_key", "id", "class", Holds::Text),
];

/// The value of a cell.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    Bytes(Vec<u8>),
    Text(String),
    Number(i64),
}

/// A house with a few people, their pictures and words, and all that can be read of it.
struct World {
    house: House,
    keystore: Db,
    objects: Vec<(Owner, StoredObject, Vec<u8>)>,
    records: Vec<(Owner, RecordId, Value)>,
    entries: Vec<EntryId>,
    leaves: BTreeMap<String, Vec<u8>>,
    /// Every entry that is in the tree.
    in_tree: BTreeSet<String>,
    /// The rows of people's keys over their data.
    data_keys: Vec<String>,
}

/// How a look at everything ended.
#[derive(Debug, Default)]
struct Look {
    /// What was refused or is not there, or that the ledger finds wrong with itself.
    found: Vec<String>,
    /// What was served and is not what was stored.
    wrong: Vec<String>,
}

impl World {
    async fn new(house: House, chance: &Chance) -> Self {
        let (mut objects, mut records) = (Vec::new(), Vec::new());
        for name in ["ada", "bob", "eve"] {
            let owner = house.person(name).await;
            for n in 0..2 {
                // One small, and one of several chunks.
                let plain = chance.bytes(if n == 0 { 300 } else { 150_000 });
                let stored = house.object(&owner, &plain).await;
                objects.push((owner.clone(), stored, plain));
                let text = format!("{name} says {n}");
                let id = house.prompt(&owner, &text).await;
                records.push((owner.clone(), id, serde_json::json!({ "text": text })));
            }
        }
        let mut entries = Vec::new();
        for n in 0..30_u64 {
            let entry = Entry::new(EntryKind::OBJECT_STORED, house.now(), &tenant(), "service").fact("n", n);
            let mut tx = house.app.db.begin().await.unwrap();
            entries.push(house.app.ledger.append(&mut tx, entry).await.unwrap().id);
            tx.commit().await.unwrap();
        }
        house.app.ledger.sequence().await.unwrap();
        let mut leaves = BTreeMap::new();
        for id in &entries {
            leaves.insert(id.to_string(), house.app.ledger.entry(*id).await.unwrap().bytes);
        }
        let mut tx = house.app.db.read().await.unwrap();
        let sql = "SELECT id FROM ledger_entry WHERE seq IS NOT NULL";
        let ids: Vec<(String,)> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await).unwrap();
        drop(tx);
        let in_tree = ids.into_iter().map(|(id,)| id).collect();
        let keystore = house.keystore().await;
        let mut tx = keystore.read().await.unwrap();
        let sql = "SELECT id FROM subject_key WHERE class = 'data'";
        let keys: Vec<(String,)> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await).unwrap();
        drop(tx);
        let data_keys = keys.into_iter().map(|(id,)| id).collect();
        Self { house, keystore, objects, records, entries, leaves, in_tree, data_keys }
    }

    /// Reads everything there is, as its owners do and as a stranger does the ledger.
    async fn look(&self) -> Look {
        let mut look = Look::default();
        for (owner, stored, plain) in &self.objects {
            match self.house.bytes(owner, stored).await {
                Ok(bytes) if bytes == *plain => {}
                Ok(_) => look.wrong.push(format!("image {}", stored.id)),
                Err(e) => look.found.push(format!("image {}: {e}", stored.id)),
            }
            let actor = Actor::Subject(owner.subject);
            let access = Access { actor: &actor, purpose: "provide-edits" };
            let middle = (plain.len() / 2) as u64..(plain.len() / 2 + 60) as u64;
            let expected = &plain[plain.len() / 2..plain.len() / 2 + 60];
            match self.house.app.vault.open_object(owner, &access, stored.id, Some(middle)).await {
                Ok(open) => match open.read(1 << 20).await {
                    Ok(part) if part.expose().as_slice() == expected => {}
                    Ok(_) => look.wrong.push(format!("part of {}", stored.id)),
                    Err(e) => look.found.push(format!("part of {}: {e}", stored.id)),
                },
                Err(e) => look.found.push(format!("part of {}: {e}", stored.id)),
            }
        }
        for (owner, id, value) in &self.records {
            let actor = Actor::Subject(owner.subject);
            let access = Access { actor: &actor, purpose: "rights" };
            match self.house.app.vault.record(owner, &access, *id).await {
                Ok(record) if record.value == *value => {}
                Ok(_) => look.wrong.push(format!("record {id}")),
                Err(e) => look.found.push(format!("record {id}: {e}")),
            }
        }
        for id in self.entries.iter().step_by(5) {
            match self.house.app.ledger.receipt(*id, None).await {
                Ok(receipt) => self.judge(*id, &receipt, &mut look),
                Err(e) => look.found.push(format!("receipt {id}: {e}")),
            }
        }
        match self.house.app.ledger.fsck().await {
            Ok(report) => look.found.extend(report.faults.iter().map(ToString::to_string)),
            Err(e) => look.found.push(format!("the ledger: {e}")),
        }
        look
    }

    fn judge(&self, id: EntryId, receipt: &Receipt, look: &mut Look) {
        match receipt.verify(self.house.app.ledger.verifier(), &[]) {
            Ok(verified) if verified.leaf.encode().unwrap() == self.leaves[&id.to_string()] => {}
            Ok(_) => look.wrong.push(format!("receipt {id}")),
            Err(e) => look.found.push(format!("receipt {id}: {e}")),
        }
    }

    fn db(&self, keys: bool) -> &Db {
        if keys { &self.keystore } else { &self.house.app.db }
    }

    async fn rows(&self, of: Cell) -> Vec<String> {
        let sql = format!("SELECT CAST({} AS TEXT) FROM {} ORDER BY 1", of.row, of.table);
        let mut tx = self.db(of.keys).read().await.unwrap();
        let rows: Vec<(String,)> =
            on!(tx, |c| sqlx::query_as(AssertSqlSafe(sql)).fetch_all(c).await).unwrap();
        rows.into_iter().map(|(row,)| row).filter(|row| self.is_read(of, row)).collect()
    }

    /// Whether the look reads this row: the world has others, of accounts and of keys of other sorts.
    fn is_read(&self, of: Cell, row: &str) -> bool {
        let item = |row: &str| {
            self.objects.iter().any(|(_, o, _)| row.starts_with(&o.id.to_string()))
                || self.records.iter().any(|(_, id, _)| row.starts_with(&id.to_string()))
        };
        match of.table {
            "object" | "record" | "item_key" => item(row),
            "subject_key" => self.data_keys.iter().any(|id| id == row),
            // What waits to be taken into the tree is bound by nothing yet.
            "ledger_entry" => self.in_tree.contains(row),
            _ => true,
        }
    }

    async fn get(&self, of: Cell, row: &str) -> Held {
        let sql = format!("SELECT {} FROM {} WHERE CAST({} AS TEXT) = $1", of.column, of.table, of.row);
        let mut tx = self.db(of.keys).read().await.unwrap();
        macro_rules! one {
            ($type:ty) => {{
                let (held,): ($type,) =
                    on!(tx, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(row).fetch_one(c).await).unwrap();
                held
            }};
        }
        match of.holds {
            Holds::Bytes => Held::Bytes(one!(Vec<u8>)),
            Holds::Text => Held::Text(one!(String)),
            Holds::Number => Held::Number(one!(i64)),
        }
    }

    /// Writes a cell; `false` when the database itself will not have it.
    async fn put(&self, of: Cell, row: &str, held: &Held) -> bool {
        let sql = format!("UPDATE {} SET {} = $1 WHERE CAST({} AS TEXT) = $2", of.table, of.column, of.row);
        let mut tx = self.db(of.keys).begin().await.unwrap();
        macro_rules! with {
            ($value:expr) => {
                on!(tx, |c| sqlx::query(AssertSqlSafe(sql))
                    .bind($value)
                    .bind(row)
                    .execute(c)
                    .await
                    .map(|_| ()))
            };
        }
        let done = match held {
            Held::Bytes(bytes) => with!(bytes.as_slice()),
            Held::Text(text) => with!(text.as_str()),
            Held::Number(n) => with!(*n),
        };
        done.is_ok() && tx.commit().await.is_ok()
    }

    /// Another value for a cell: its own damaged, or another row's.
    async fn other(&self, of: Cell, held: &Held, chance: &Chance) -> Held {
        let rows = self.rows(of).await;
        if chance.below(2) == 0 {
            let row: &String = chance.one(&rows);
            let theirs = self.get(of, row).await;
            if theirs != *held {
                return theirs;
            }
        }
        match held {
            Held::Bytes(bytes) => Held::Bytes(chance.damaged(bytes)),
            Held::Text(text) => {
                let mut letters: Vec<char> = text.chars().collect();
                let at = chance.below(letters.len());
                letters[at] = *chance.one(&['0', '1', 'x', '_', '=']);
                Held::Text(letters.into_iter().collect())
            }
            Held::Number(n) => Held::Number(n + *chance.one(&[-1, 1, 7, 1_000_000])),
        }
    }

    /// Damages one cell, looks, and puts it back. Gives whether it was damaged at all, and what the look gave.
    async fn damage_cell(&self, of: Cell, chance: &Chance) -> Option<Look> {
        let rows = self.rows(of).await;
        let row = chance.one(&rows).clone();
        let held = self.get(of, &row).await;
        let other = self.other(of, &held, chance).await;
        if other == held || !self.put(of, &row, &other).await {
            return None;
        }
        let look = self.look().await;
        assert!(self.put(of, &row, &held).await);
        Some(look)
    }

    /// Damages, swaps or removes the bytes of pictures. Also gives whether it must be found: bytes hung on behind the end
    /// are never even read.
    async fn damage_blob(&self, chance: &Chance) -> Option<(Look, bool)> {
        let files = self.house.blob_files();
        let (one, two) = (chance.one(&files), chance.one(&files));
        let (a, b) = (fs::read(one).unwrap(), fs::read(two).unwrap());
        let bound = match chance.below(4) {
            0 if one != two => {
                fs::write(one, &b).unwrap();
                fs::write(two, &a).unwrap();
                true
            }
            1 => {
                fs::remove_file(one).unwrap();
                true
            }
            _ => {
                let bad = chance.damaged(&a);
                if bad == a {
                    return None;
                }
                fs::write(one, &bad).unwrap();
                !bad.starts_with(&a)
            }
        };
        let look = self.look().await;
        fs::write(one, &a).unwrap();
        fs::write(two, &b).unwrap();
        Some((look, bound))
    }

    /// Removes, doubles or exchanges whole rows of the ledger.
    async fn disorder(&self, chance: &Chance) -> Option<Look> {
        let n = chance.below(self.entries.len() - 1);
        let exchange = [
            format!("UPDATE ledger_entry SET seq = -1 - seq WHERE seq IN ({n}, {})", n + 1),
            format!("UPDATE ledger_entry SET seq = {n} + {n} + 2 + seq WHERE seq < 0"),
        ];
        let (change, undo) = match chance.below(3) {
            // Out of the tree, though not back among those that wait.
            0 => (
                vec![format!("UPDATE ledger_entry SET seq = seq + 5000 WHERE seq = {n}")],
                vec!["UPDATE ledger_entry SET seq = seq - 5000 WHERE seq >= 5000".to_owned()],
            ),
            1 => (exchange.to_vec(), exchange.to_vec()),
            _ => (
                vec![format!(
                    "INSERT INTO ledger_entry (id, arrival, seq, kind, happened_at, leaf) \
                     SELECT 'ent_x', 0, 100000 + seq, kind, happened_at, leaf FROM ledger_entry WHERE seq = {n}"
                )],
                vec!["DELETE FROM ledger_entry WHERE id = 'ent_x'".to_owned()],
            ),
        };
        for statement in &change {
            self.house.run(statement).await;
        }
        let look = self.look().await;
        for statement in &undo {
            self.house.run(statement).await;
        }
        Some(look)
    }
}

each_house! {
    /// T20 and the rows, tiles and order of T30: of a thousand damages done at random nothing wrong is ever served, and each
    /// one to what is bound is found.
    async fn whatever_is_damaged_nothing_wrong_is_served_and_what_is_bound_is_found(house: House) {
        let rounds = if soaking() { 1_000 } else { 110 };
        let chance = Chance::of("whatever_is_damaged_nothing_wrong_is_served");
        let world = World::new(house, &chance).await;
        let clean = world.look().await;
        assert!(clean.found.is_empty() && clean.wrong.is_empty(), "the control: {clean:?}");
        let (mut done, mut found, mut harmless) = (0, 0, BTreeMap::<String, u32>::new());
        while done < rounds {
            let (what, look, bound) = match chance.below(10) {
                0..3 => match world.damage_blob(&chance).await {
                    Some((look, bound)) => ("bytes of a picture".to_owned(), look, bound),
                    None => continue,
                },
                3 => match world.disorder(&chance).await {
                    Some(look) => ("the order of the ledger".to_owned(), look, true),
                    None => continue,
                },
                _ => {
                    let of = *chance.one(CELLS);
                    match world.damage_cell(of, &chance).await {
                        Some(look) => (format!("{}.{}", of.table, of.column), look, of.bound),
                        None => continue,
                    }
                }
            };
            done += 1;
            assert!(look.wrong.is_empty(), "round {done}, {what}: {look:?}");
            if look.found.is_empty() {
                assert!(!bound, "round {done}: {what} was changed and nothing was found");
                *harmless.entry(what).or_default() += 1;
            } else {
                found += 1;
            }
        }
        tell(&format!("{done} damages: {found} found, none served wrongly; of no effect: {harmless:?}"));
        assert!(found > rounds / 2, "{found}");
        let after = world.look().await;
        assert!(after.found.is_empty() && after.wrong.is_empty(), "what was put back is whole: {after:?}");
    }
}
