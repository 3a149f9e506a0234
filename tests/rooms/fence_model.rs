//! The order of things in an upload, an erasure and the sweep, as a model of its own, under every way in which a scheduler
//! may take turns with them (`shuttle`): the real thing runs in `erasing_scale` and `blobs_…`. Each step of the model is one
//! transaction or one call to the store, in the order of `vault::arrive`, `requests::erase` and `vault::graves`.

use std::collections::BTreeSet;

use shuttle::sync::{Arc, Mutex};
use shuttle::thread;

use crate::support::chance::soaking;

/// What can be left out, to see that its absence is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The keystore makes a key for somebody whose keys were destroyed.
    KeyFence,
    /// An upload has no row before it has bytes.
    Intent,
    /// An upload has no row before it has bytes, and lands without looking whether an erasure began meanwhile.
    Standing,
    /// The sweep takes what has landed since it looked.
    SecondLook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Arriving,
    Deleting,
    Live,
}

/// The main database.
#[derive(Default)]
struct Main {
    erasing: bool,
    generation: u32,
    row: Option<Row>,
    grave: bool,
}

/// The keystore.
#[derive(Default)]
struct Keys {
    subject: bool,
    items: BTreeSet<u32>,
}

struct World {
    main: Mutex<Main>,
    keys: Mutex<Keys>,
    blob: Mutex<bool>,
    acknowledged: Mutex<bool>,
    erased: Mutex<bool>,
    dead: Mutex<bool>,
    without: Without,
}

impl World {
    fn new(without: Without) -> Self {
        let keys = Keys { subject: true, ..Keys::default() };
        Self {
            main: Mutex::default(),
            keys: Mutex::new(keys),
            blob: Mutex::default(),
            acknowledged: Mutex::default(),
            erased: Mutex::default(),
            dead: Mutex::default(),
            without,
        }
    }

    /// Whether the process that uploads has died by now.
    fn dead(&self) -> bool {
        *self.dead.lock().unwrap()
    }

    fn upload(&self) {
        let announces = !matches!(self.without, Without::Intent | Without::Standing);
        let generation = {
            let mut main = self.main.lock().unwrap();
            if main.erasing {
                return;
            }
            main.row = announces.then_some(Row::Arriving);
            main.generation
        };
        if self.dead() {
            return;
        }
        {
            let mut keys = self.keys.lock().unwrap();
            if !keys.subject && self.without != Without::KeyFence {
                drop(keys);
                return self.give_up();
            }
            keys.items.insert(1);
        }
        if self.dead() {
            return;
        }
        *self.blob.lock().unwrap() = true;
        if self.dead() {
            return;
        }
        let landed = {
            let mut main = self.main.lock().unwrap();
            let same = main.generation == generation && !main.erasing;
            let lands = match self.without {
                Without::Standing => true,
                Without::Intent => same,
                _ => same && main.row == Some(Row::Arriving),
            };
            if lands {
                main.row = Some(Row::Live);
            }
            lands
        };
        if landed {
            *self.acknowledged.lock().unwrap() = true;
        } else if !self.dead() {
            self.give_up();
        }
    }

    /// What `clear_arrival` does.
    fn give_up(&self) {
        {
            let mut main = self.main.lock().unwrap();
            if main.row == Some(Row::Live) {
                return;
            }
            if main.row == Some(Row::Arriving) {
                main.row = Some(Row::Deleting);
            }
        }
        self.keys.lock().unwrap().items.remove(&1);
        {
            let mut main = self.main.lock().unwrap();
            main.grave = true;
            if main.row == Some(Row::Deleting) {
                main.row = None;
            }
        }
        *self.blob.lock().unwrap() = false;
    }

    /// The sweep finds an intent that is over its time.
    fn sweep(&self) {
        let stale = matches!(self.main.lock().unwrap().row, Some(Row::Arriving | Row::Deleting));
        if !stale {
            return;
        }
        if self.without == Without::SecondLook {
            self.keys.lock().unwrap().items.remove(&1);
            *self.blob.lock().unwrap() = false;
            self.main.lock().unwrap().row = None;
            return;
        }
        self.give_up();
    }

    fn erase(&self) {
        {
            let mut main = self.main.lock().unwrap();
            main.erasing = true;
            main.generation += 1;
        }
        {
            let mut keys = self.keys.lock().unwrap();
            keys.subject = false;
        }
        let buried = {
            let mut main = self.main.lock().unwrap();
            let buried = main.row.take().is_some();
            main.grave |= buried;
            buried
        };
        if buried {
            *self.blob.lock().unwrap() = false;
        }
        self.keys.lock().unwrap().items.clear();
        *self.erased.lock().unwrap() = true;
    }

    /// An hour and a day later, as often as it takes.
    fn visit_grave(&self) {
        let main = self.main.lock().unwrap();
        if main.grave && main.row != Some(Row::Live) {
            *self.blob.lock().unwrap() = false;
        }
    }

    fn judge(&self) {
        self.visit_grave();
        let (main, keys) = (self.main.lock().unwrap(), self.keys.lock().unwrap());
        let (blob, erased) = (*self.blob.lock().unwrap(), *self.erased.lock().unwrap());
        if erased {
            assert!(main.row.is_none(), "a row came after the erasure");
            assert!(!blob, "bytes came after the erasure and nothing knows them");
            // An item key under a destroyed subject key opens nothing; the upload's own end removes it.
            assert!(keys.items.is_empty(), "a key came after the erasure");
        } else if *self.acknowledged.lock().unwrap() {
            assert!(
                main.row == Some(Row::Live) && blob && keys.items.contains(&1),
                "an acknowledged upload was lost"
            );
        } else {
            assert!(!blob || main.row.is_some() || main.grave, "bytes that nothing knows");
        }
    }
}

/// Runs an upload, a sweep, the end of the uploading process and, if asked for, an erasure at once, in so many orders.
fn explore(without: Without, erasing: bool, schedules: usize) {
    shuttle::check_random(
        move || {
            let world = Arc::new(World::new(without));
            let mut running = Vec::new();
            let at = |world: &Arc<World>, work: fn(&World)| {
                let world = Arc::clone(world);
                thread::spawn(move || work(&world))
            };
            running.push(at(&world, World::upload));
            running.push(at(&world, World::sweep));
            running.push(at(&world, |world| *world.dead.lock().unwrap() = true));
            if erasing {
                running.push(at(&world, World::erase));
            }
            for one in running {
                one.join().unwrap();
            }
            world.judge();
        },
        schedules,
    );
}

fn schedules() -> usize {
    if soaking() { 100_000 } else { 10_000 }
}

/// T12, the model: no row, key or byte after an erasure, in any order of steps.
#[test]
fn an_upload_never_outlives_the_erasure_it_races() {
    explore(Without::Nothing, true, schedules());
}

/// T23, the model: the sweep takes no upload that was acknowledged.
#[test]
fn the_sweep_never_takes_what_has_landed() {
    explore(Without::Nothing, false, schedules());
}

/// The controls: each thing left out is found at once.
#[test]
fn every_fence_that_is_left_out_is_missed() {
    for (without, erasing) in [
        (Without::KeyFence, true),
        (Without::Intent, true),
        (Without::Standing, true),
        (Without::SecondLook, false),
    ] {
        let found = std::panic::catch_unwind(|| explore(without, erasing, 20_000)).is_err();
        assert!(found, "{without:?} was left out and nothing was found");
    }
}
