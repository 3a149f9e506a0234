//! Transactions, the queue, and calls that are sent twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tokio::task::JoinSet;
use vouchsafe::base::{Clock, Entropy, ManualClock, TenantId, Timestamp};
use vouchsafe::on;
use vouchsafe::store::idempotency::{self, Call, Closing, Found};
use vouchsafe::store::jobs::{self, Claimed, NewJob, Setback};
use vouchsafe::store::{Db, Error, Tx};

use crate::each_database;

fn clock() -> (Clock, ManualClock) {
    Clock::manual(Timestamp::parse_rfc3339("2026-05-05T12:00:00Z").unwrap())
}

async fn put(tx: &mut Tx, clock: &Clock, unique_key: Option<&str>) -> bool {
    let payload = json!({ "edit": "edt_1" });
    let job = NewJob {
        kind: "edit",
        payload: &payload,
        tenant: None,
        unique_key,
        run_at: clock.now(),
        deadline: None,
    };
    jobs::enqueue(tx, clock, &Entropy::system(), &job).await.unwrap()
}

async fn claim(db: &Db, clock: &Clock, most: i64) -> Vec<Claimed> {
    let mut tx = db.begin().await.unwrap();
    let claimed = jobs::claim(&mut tx, clock, &Entropy::system(), most).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn claim_one(db: &Db, clock: &Clock) -> Option<Claimed> {
    claim(db, clock, 1).await.pop()
}

const NO_ANSWER: Setback = Setback { why: "the provider did not answer", own: true };
const DOWN: Setback = Setback { why: "a store was not available", own: false };

async fn retry(db: &Db, clock: &Clock, job: &Claimed, pause: Duration) -> bool {
    put_back(db, clock, job, (pause, NO_ANSWER)).await
}

async fn put_back(db: &Db, clock: &Clock, job: &Claimed, (pause, setback): (Duration, Setback)) -> bool {
    let mut tx = db.begin().await.unwrap();
    let ours = jobs::retry(&mut tx, clock, job, pause, setback).await.unwrap();
    tx.commit().await.unwrap();
    ours
}

async fn counts(db: &Db) -> (i64, i64) {
    jobs::counts(&mut db.read().await.unwrap()).await.unwrap()
}

/// The same call, in one of its runs.
fn call_of(tenant: &TenantId, run: u8) -> Call {
    let (caller, route) = ("sub_1".to_owned(), "POST /edits");
    Call { tenant: tenant.clone(), caller, route, key_hash: [1; 32], owner: [run; 16] }
}

async fn enqueued(db: &Db, clock: &Clock, how_many: usize) {
    let mut tx = db.begin().await.unwrap();
    for _ in 0..how_many {
        assert!(put(&mut tx, clock, None).await);
    }
    tx.commit().await.unwrap();
}

each_database! {
    async fn a_transaction_that_is_dropped_leaves_nothing(db: TestDb) {
        let (clock, _) = clock();
        let mut tx = db.main.begin().await.unwrap();
        assert!(put(&mut tx, &clock, None).await);
        assert_eq!(jobs::counts(&mut tx).await.unwrap(), (1, 0), "not even its own writes were seen");
        drop(tx);
        assert_eq!(counts(&db.main).await, (0, 0));

        let mut tx = db.main.begin().await.unwrap();
        assert!(put(&mut tx, &clock, None).await);
        tx.commit().await.unwrap();
        assert_eq!(counts(&db.main).await, (1, 0));
    }

    async fn a_reader_does_not_see_what_is_not_committed(db: TestDb) {
        let (clock, _) = clock();
        let mut tx = db.main.begin().await.unwrap();
        assert!(put(&mut tx, &clock, None).await);
        assert_eq!(counts(&db.main).await, (0, 0));
        tx.commit().await.unwrap();
        assert_eq!(counts(&db.main).await, (1, 0));
    }

    async fn writers_that_read_first_never_find_the_database_busy(db: TestDb) {
        let (clock, _) = clock();
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (main, clock) = (db.main.clone(), clock.clone());
            tasks.spawn(async move {
                for _ in 0..25 {
                    let mut tx = main.begin().await?;
                    jobs::counts(&mut tx).await?;
                    put(&mut tx, &clock, None).await;
                    tx.commit().await?;
                    main.ping().await?;
                }
                Ok::<(), Error>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        assert_eq!(counts(&db.main).await, (200, 0));
    }

    async fn a_row_that_is_there_already_is_called_a_duplicate(db: TestDb) {
        const INSERT: &str = "INSERT INTO blob_grave (blob_key, tenant, buried_at, next_at, deletions) VALUES ($1, 'app', 0, 0, 0)";
        let mut tx = db.main.begin().await.unwrap();
        let mut insert = async || -> Result<(), Error> {
            Ok(on!(tx, |c| sqlx::query(INSERT).bind("k").execute(c).await.map(|_| ()))?)
        };
        insert().await.unwrap();
        assert!(matches!(insert().await, Err(Error::Duplicate)));
    }

    async fn each_job_is_claimed_by_one_worker(db: TestDb) {
        let (clock, _) = clock();
        enqueued(&db.main, &clock, 200).await;
        let mut workers = JoinSet::new();
        for _ in 0..8 {
            let (main, clock) = (db.main.clone(), clock.clone());
            workers.spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claimed = claim(&main, &clock, 3).await;
                    if claimed.is_empty() {
                        return mine;
                    }
                    for job in claimed {
                        let mut tx = main.begin().await.unwrap();
                        assert!(jobs::finish(&mut tx, &job).await.unwrap());
                        tx.commit().await.unwrap();
                        mine.push(job.id);
                    }
                }
            });
        }
        let claimed = workers.join_all().await.concat();
        assert_eq!(claimed.len(), 200);
        assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 200);
        assert_eq!(counts(&db.main).await, (0, 0));
    }

    async fn a_worker_that_was_taken_for_dead_can_do_no_harm(db: TestDb) {
        let (clock, hand) = clock();
        enqueued(&db.main, &clock, 1).await;
        let stale = claim_one(&db.main, &clock).await.unwrap();
        assert!(claim_one(&db.main, &clock).await.is_none(), "claimed twice within its lease");
        hand.advance(TimeDelta::seconds(61));
        let living = claim_one(&db.main, &clock).await.unwrap();
        assert_eq!((living.id, living.claims), (stale.id, 2));

        let mut tx = db.main.begin().await.unwrap();
        assert!(!jobs::heartbeat(&mut tx, &clock, &stale).await.unwrap());
        assert!(!jobs::retry(&mut tx, &clock, &stale, Duration::ZERO, NO_ANSWER).await.unwrap());
        assert!(!jobs::finish(&mut tx, &stale).await.unwrap());
        assert!(jobs::heartbeat(&mut tx, &clock, &living).await.unwrap());
        assert!(jobs::finish(&mut tx, &living).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(counts(&db.main).await, (0, 0));
    }

    async fn a_heartbeat_holds_a_job_past_its_lease(db: TestDb) {
        let (clock, hand) = clock();
        enqueued(&db.main, &clock, 1).await;
        let job = claim_one(&db.main, &clock).await.unwrap();
        for _ in 0..3 {
            hand.advance(TimeDelta::seconds(50));
            let mut tx = db.main.begin().await.unwrap();
            assert!(jobs::heartbeat(&mut tx, &clock, &job).await.unwrap());
            tx.commit().await.unwrap();
            assert!(claim_one(&db.main, &clock).await.is_none());
        }
    }

    async fn a_job_that_failed_waits_its_pause(db: TestDb) {
        let (clock, hand) = clock();
        enqueued(&db.main, &clock, 1).await;
        let job = claim_one(&db.main, &clock).await.unwrap();
        assert!(retry(&db.main, &clock, &job, Duration::from_secs(5)).await);
        hand.advance(TimeDelta::milliseconds(4_999));
        assert!(claim_one(&db.main, &clock).await.is_none());
        let next = jobs::next_run(&mut db.main.read().await.unwrap()).await.unwrap();
        hand.advance(TimeDelta::milliseconds(1));
        assert_eq!(next, Some(clock.now()));
        assert_eq!(claim_one(&db.main, &clock).await.unwrap().id, job.id);
    }

    async fn a_job_that_failed_five_times_is_set_aside_until_released(db: TestDb) {
        let (clock, _) = clock();
        enqueued(&db.main, &clock, 1).await;
        let mut last = None;
        for claims in 1..=jobs::MOST_FAILURES {
            let job = claim_one(&db.main, &clock).await.unwrap();
            assert_eq!((job.claims, job.failures), (claims, claims - 1));
            assert!(retry(&db.main, &clock, &job, Duration::ZERO).await);
            last = Some(job.id);
        }
        assert_eq!(counts(&db.main).await, (0, 1));
        assert!(claim_one(&db.main, &clock).await.is_none());
        let troubled = jobs::troubled(&mut db.main.read().await.unwrap(), 10).await.unwrap();
        assert!(troubled[0].quarantined);
        assert_eq!(troubled[0].last_error.as_deref(), Some("the provider did not answer"));

        let mut tx = db.main.begin().await.unwrap();
        assert!(jobs::release(&mut tx, &clock, last.unwrap()).await.unwrap());
        tx.commit().await.unwrap();
        let again = claim_one(&db.main, &clock).await.unwrap();
        assert_eq!((again.claims, again.failures), (1, 0));
    }

    async fn a_process_that_dies_or_a_store_that_is_down_is_no_failure_of_the_job(db: TestDb) {
        let (clock, hand) = clock();
        enqueued(&db.main, &clock, 1).await;
        for claims in 1..jobs::MOST_CLAIMS {
            let job = claim_one(&db.main, &clock).await.unwrap();
            assert_eq!((job.claims, job.failures), (claims, 0));
            if claims % 2 == 0 {
                assert!(put_back(&db.main, &clock, &job, (Duration::ZERO, DOWN)).await);
            } else {
                // Its process is gone, and says nothing.
                hand.advance(TimeDelta::seconds(61));
            }
        }
        assert_eq!(counts(&db.main).await, (1, 0));
        let last = claim_one(&db.main, &clock).await.unwrap();
        assert!(last.is_hopeless(DOWN), "what takes its process down with it must come to an end");
        assert!(put_back(&db.main, &clock, &last, (Duration::ZERO, DOWN)).await);
        assert_eq!(counts(&db.main).await, (0, 1));
    }

    async fn one_job_lives_under_a_unique_key(db: TestDb) {
        let (clock, _) = clock();
        let mut tx = db.main.begin().await.unwrap();
        assert!(put(&mut tx, &clock, Some("erase/sub_1")).await);
        assert!(!put(&mut tx, &clock, Some("erase/sub_1")).await);
        assert!(put(&mut tx, &clock, Some("erase/sub_2")).await);
        let [first, _] = jobs::claim(&mut tx, &clock, &Entropy::system(), 2).await.unwrap().try_into().unwrap();
        assert!(jobs::finish(&mut tx, &first).await.unwrap());
        let freed = ["erase/sub_1", "erase/sub_2"];
        let again = [put(&mut tx, &clock, Some(freed[0])).await, put(&mut tx, &clock, Some(freed[1])).await];
        assert_eq!(again.iter().filter(|took| **took).count(), 1, "a key is free again when its job is done");
    }

    async fn a_job_carries_what_it_was_given(db: TestDb) {
        let (clock, _) = clock();
        let tenant: TenantId = "flux-kontext".parse().unwrap();
        let payload = json!({ "request": "req_1", "targets": ["blobs", "stripe"] });
        let due = clock.now().plus(TimeDelta::hours(72));
        let job = NewJob {
            kind: "erase",
            payload: &payload,
            tenant: Some(&tenant),
            unique_key: None,
            run_at: clock.now(),
            deadline: Some(due),
        };
        let mut tx = db.main.begin().await.unwrap();
        jobs::enqueue(&mut tx, &clock, &Entropy::system(), &job).await.unwrap();
        tx.commit().await.unwrap();
        let claimed = claim_one(&db.main, &clock).await.unwrap();
        assert_eq!((claimed.kind.as_str(), claimed.payload, claimed.tenant, claimed.deadline), ("erase", payload, Some(tenant), Some(due)));
    }

    async fn a_call_sent_twice_has_one_effect_and_one_answer(db: TestDb) {
        let (clock, hand) = clock();
        let tenant: TenantId = "flux-kontext".parse().unwrap();
        let call = call_of(&tenant, 1);
        let mut tx = db.main.begin().await.unwrap();
        assert_eq!(idempotency::begin(&mut tx, &call, b"ask", clock.now()).await.unwrap(), Found::New);
        assert_eq!(idempotency::begin(&mut tx, &call, b"ask", clock.now()).await.unwrap(), Found::Running);
        assert_eq!(idempotency::begin(&mut tx, &call, b"another", clock.now()).await.unwrap(), Found::Different);
        let others = Call { caller: "sub_2".to_owned(), ..call.clone() };
        assert_eq!(idempotency::begin(&mut tx, &others, b"ask", clock.now()).await.unwrap(), Found::New);

        idempotency::abandon(&mut tx, &call).await.unwrap();
        assert_eq!(idempotency::begin(&mut tx, &call, b"ask", clock.now()).await.unwrap(), Found::New);
        assert!(idempotency::finish(&mut tx, &call, 201, b"sealed").await.unwrap());
        let answered = Found::Answered(201, b"sealed".to_vec());
        idempotency::abandon(&mut tx, &call).await.unwrap();
        assert_eq!(idempotency::begin(&mut tx, &call, b"ask", clock.now()).await.unwrap(), answered);

        assert_eq!(idempotency::forget(&mut tx, &tenant, "sub_1").await.unwrap(), 1);
        assert_eq!(idempotency::begin(&mut tx, &call, b"ask", clock.now()).await.unwrap(), Found::New);
        hand.advance(TimeDelta::days(1));
        assert_eq!(idempotency::expire(&mut tx, clock.now()).await.unwrap(), 2);
    }

    /// Two programs, an older one and this, share a database while one replaces the other.
    async fn a_run_of_an_older_program_has_its_key_for_as_long_as_any_other(db: TestDb) {
        let (clock, hand) = clock();
        let tenant: TenantId = "flux-kontext".parse().unwrap();
        let (older, next) = (call_of(&tenant, 1), call_of(&tenant, 2));
        let mut tx = db.main.begin().await.unwrap();
        assert_eq!(idempotency::begin(&mut tx, &older, b"ask", clock.now()).await.unwrap(), Found::New);
        let begun = clock.now();
        on!(tx, |c| sqlx::query("UPDATE idempotency SET owner = NULL, begun_at = NULL").execute(c).await.map(|_| ()))
            .unwrap();
        hand.advance(TimeDelta::seconds(100));
        assert_eq!(idempotency::begin(&mut tx, &next, b"ask", clock.now()).await.unwrap(), Found::Running);
        hand.advance(TimeDelta::seconds(60));
        assert_eq!(idempotency::begin(&mut tx, &next, b"ask", clock.now()).await.unwrap(), Found::CutOff(begun));
    }

    async fn a_run_that_was_cut_off_loses_its_key_and_can_change_nothing_any_more(db: TestDb) {
        let (clock, hand) = clock();
        let tenant: TenantId = "flux-kontext".parse().unwrap();
        let (cut_off, next) = (call_of(&tenant, 1), call_of(&tenant, 2));
        let mut tx = db.main.begin().await.unwrap();
        assert_eq!(idempotency::begin(&mut tx, &cut_off, b"ask", clock.now()).await.unwrap(), Found::New);
        hand.advance(TimeDelta::seconds(100));
        assert_eq!(idempotency::begin(&mut tx, &next, b"ask", clock.now()).await.unwrap(), Found::Running);
        hand.advance(TimeDelta::seconds(60));
        assert_eq!(idempotency::begin(&mut tx, &next, b"another", clock.now()).await.unwrap(), Found::Different);
        let begun = clock.now().plus(TimeDelta::seconds(-160));
        assert_eq!(idempotency::begin(&mut tx, &next, b"ask", clock.now()).await.unwrap(), Found::CutOff(begun));
        let closing = Closing::new(cut_off.clone(), |made: &u8| Ok((201, vec![*made])));
        assert!(matches!(closing.close(&mut tx, &7).await, Err(Error::Busy)), "it is another's by now");
        idempotency::abandon(&mut tx, &cut_off).await.unwrap();
        Closing::new(next.clone(), |made: &u8| Ok((201, vec![*made]))).close(&mut tx, &8).await.unwrap();
        let found = idempotency::begin(&mut tx, &cut_off, b"ask", clock.now()).await.unwrap();
        assert_eq!(found, Found::Answered(201, vec![8]));
        hand.advance(TimeDelta::hours(1));
        let found = idempotency::begin(&mut tx, &cut_off, b"ask", clock.now()).await.unwrap();
        assert_eq!(found, Found::Answered(201, vec![8]), "an answer is no run");

        let stopped = Call { key_hash: [7; 32], ..next.clone() };
        let begun = clock.now();
        assert_eq!(idempotency::begin(&mut tx, &stopped, b"ask", begun).await.unwrap(), Found::New);
        let another = Call { owner: [3; 16], ..stopped.clone() };
        hand.advance(TimeDelta::seconds(1));
        idempotency::break_off(&mut tx, &another).await.unwrap();
        let found = idempotency::begin(&mut tx, &another, b"ask", clock.now()).await.unwrap();
        assert_eq!(found, Found::Running, "it is not another's to break off");
        idempotency::break_off(&mut tx, &stopped).await.unwrap();
        let found = idempotency::begin(&mut tx, &another, b"ask", clock.now()).await.unwrap();
        assert_eq!(found, Found::CutOff(begun));
        idempotency::abandon(&mut tx, &another).await.unwrap();

        let running = Call { key_hash: [9; 32], ..next };
        assert_eq!(idempotency::begin(&mut tx, &running, b"ask", clock.now()).await.unwrap(), Found::New);
        assert_eq!(idempotency::free_all(&mut tx).await.unwrap(), 1, "what a killed process held, and no answer");
        let begun = clock.now();
        hand.advance(TimeDelta::seconds(1));
        assert_eq!(idempotency::begin(&mut tx, &running, b"ask", clock.now()).await.unwrap(), Found::CutOff(begun));
    }

    async fn a_job_that_is_woken_while_it_runs_runs_again_at_once(db: TestDb) {
        let (clock, _) = clock();
        let mut tx = db.main.begin().await.unwrap();
        put(&mut tx, &clock, Some("edit-1")).await;
        tx.commit().await.unwrap();
        for woken in [false, true, false] {
            let job = claim_one(&db.main, &clock).await.expect("it is due");
            let mut tx = db.main.begin().await.unwrap();
            if woken {
                jobs::wake(&mut tx, &clock, ("edit", "edit-1")).await.unwrap();
            }
            assert!(jobs::snooze(&mut tx, &job, clock.now().plus(TimeDelta::seconds(5))).await.unwrap());
            tx.commit().await.unwrap();
            let due = claim_one(&db.main, &clock).await;
            assert_eq!(due.is_some(), woken, "once, and no more");
            let mut tx = db.main.begin().await.unwrap();
            match due {
                Some(job) => assert!(jobs::snooze(&mut tx, &job, clock.now()).await.unwrap()),
                None => jobs::wake(&mut tx, &clock, ("edit", "edit-1")).await.unwrap(),
            }
            tx.commit().await.unwrap();
        }
    }

    async fn of_two_equal_calls_at_once_one_is_new(db: TestDb) {
        let (clock, _) = clock();
        let tenant: Arc<TenantId> = Arc::new("flux-kontext".parse().unwrap());
        let mut calls = JoinSet::new();
        for _ in 0..8 {
            let (main, clock, tenant) = (db.main.clone(), clock.clone(), Arc::clone(&tenant));
            calls.spawn(async move {
                let call = call_of(&tenant, 1);
                let mut tx = main.begin().await.unwrap();
                let found = idempotency::begin(&mut tx, &call, b"ask", clock.now()).await.unwrap();
                tx.commit().await.unwrap();
                found
            });
        }
        let found = calls.join_all().await;
        assert_eq!(found.iter().filter(|f| **f == Found::New).count(), 1);
        assert_eq!(found.iter().filter(|f| **f == Found::Running).count(), 7);
    }
}
