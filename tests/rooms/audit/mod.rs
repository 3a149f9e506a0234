//! The audit: green in a healthy house, red for each thing planted in it, and never green for what could not be looked at.

mod house;
mod planted;

use chrono::TimeDelta;
use vouchsafe::audit::{Error, State, Verdict};
use vouchsafe::base::{Clock, Entropy, StaffId};
use vouchsafe::policy::spec::PROBES;
use vouchsafe::policy::{Role, RuleKind};

use crate::each_database;
use house::House;

each_database! {
    async fn in_a_healthy_house_every_check_passes(db: TestDb) {
        let house = House::healthy(db).await;
        let ran = house.audit.run_due(house.now()).await.unwrap();
        assert!(ran.iter().all(|r| r.changed), "a first run is a change");
        for (probe, _) in PROBES {
            house.passes(probe).await;
        }
        for clause in house.audit.promises(&house.tenant).await.unwrap() {
            for rule in &clause.rules {
                let expected = match rule.kind {
                    RuleKind::Attestation | RuleKind::Notice => State::Waiting,
                    _ => State::Kept,
                };
                assert_eq!(rule.state, expected, "{}: {}", rule.rule, rule.figure);
                assert_eq!(rule.entry.is_some(), expected == State::Kept, "{}", rule.rule);
            }
        }
        let prompt = house.state("retention.prompt").await;
        assert_eq!(prompt, State::Kept);
    }

    async fn what_proves_a_promise_is_an_entry_that_anybody_can_verify(db: TestDb) {
        let house = House::healthy(db).await;
        house.audit.run_all(&house.tenant).await.unwrap();
        let clauses = house.audit.promises(&house.tenant).await.unwrap();
        let clause = clauses.iter().find(|c| c.clause == "input-images").unwrap();
        assert_eq!(clause.state, Some(State::Kept));
        let receipt = house.ledger.receipt(clause.entry.unwrap(), None).await.unwrap();
        receipt.verify(house.ledger.verifier(), &[]).unwrap();
    }

    async fn a_check_is_made_when_it_is_due_and_stands_on_the_ledger_once_a_day(db: TestDb) {
        let house = House::healthy(db).await;
        let entries = async || house.audit.history(&house.tenant, "own-images-only", 50).await.unwrap().len();
        let due = async || {
            let ran = house.audit.run_due(house.now()).await.unwrap();
            ran.iter().any(|r| r.check.probe == "own-images-only")
        };
        assert!(due().await);
        assert!(!due().await, "not again at once");
        assert_eq!(entries().await, 1);
        for _ in 0..23 {
            house.advance(TimeDelta::hours(1));
            assert!(due().await);
        }
        assert_eq!(entries().await, 1, "the same verdict within a day");
        house.advance(TimeDelta::hours(1));
        assert!(due().await);
        assert_eq!(entries().await, 2, "confirmed once a day");
        let staff = house.staff(Role::Compliance).await;
        house.staff_read(&staff, "output-image", "support").await;
        house.advance(TimeDelta::seconds(1));
        house.fails("own-images-only", "1 of 2 looks").await;
        assert_eq!(entries().await, 3, "a change at once");
        let newest = house.audit.history(&house.tenant, "own-images-only", 1).await.unwrap();
        assert_eq!((newest[0].verdict, newest[0].found), (Verdict::Failed, 1));
    }

    async fn what_could_not_be_looked_at_is_never_green(db: TestDb) {
        let house = House::healthy(db).await;
        // This auditor sees neither pages nor log.
        let blind = house.auditor(|config, _| config.tokens.clear());
        for ran in blind.run_all(&house.tenant).await.unwrap() {
            let blinded = ["https-only", "no-tracking", "logs-clean", "self-audit"].contains(&ran.check.probe.as_str());
            let expected = if blinded { Verdict::CannotRun } else { Verdict::Passed };
            assert_eq!(ran.check.outcome.verdict, expected, "{}: {}", ran.check.probe, ran.check.outcome.figure);
        }
        assert_eq!(blind.run(&house.tenant, "tokens-verified").await.unwrap().check.outcome.verdict, Verdict::CannotRun);
        for rule in ["safeguard.encrypted-inside", "safeguard.no-tracking", "safeguard.logs-clean", "safeguard.self-audit"] {
            assert_eq!(house.state(rule).await, State::Waiting, "{rule}");
        }
        let development = house.auditor(|config, _| config.server.development = true);
        development.see_pages(house.served.clone());
        let ran = development.run(&house.tenant, "https-only").await.unwrap();
        assert_eq!(ran.check.outcome.verdict, Verdict::CannotRun);
        let unknown = house.audit.run(&house.tenant, "no-such-probe").await.unwrap();
        assert_eq!(unknown.check.outcome.verdict, Verdict::CannotRun);
    }

    async fn a_store_that_does_not_answer_makes_a_check_impossible_and_not_green(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("backups-erased").await;
        house.db.keys.close().await;
        for probe in ["backups-erased", "sealed-at-rest", "self-audit"] {
            let (verdict, figure) = house.verdict(probe).await;
            assert_eq!(verdict, Verdict::CannotRun, "{probe}: {figure}");
        }
        assert_eq!(house.state("safeguard.backups").await, State::Waiting);
    }

    async fn the_audit_as_a_whole_passes_only_when_every_check_did(db: TestDb) {
        let house = House::healthy(db).await;
        let (alone, figure) = house.verdict("self-audit").await;
        assert_eq!(alone, Verdict::CannotRun, "nothing was checked yet: {figure}");
        house.audit.run_all(&house.tenant).await.unwrap();
        house.passes("self-audit").await;
        house.logs.see(b"sent to one@example.org");
        house.fails("logs-clean", "1 of 2 lines").await;
        house.fails("self-audit", "logs-clean").await;
        assert_eq!(house.state("safeguard.self-audit").await, State::Broken);
    }

    async fn a_check_that_is_late_is_at_risk(db: TestDb) {
        let house = House::healthy(db).await;
        house.audit.run_all(&house.tenant).await.unwrap();
        assert_eq!(house.state("safeguard.own-images-only").await, State::Kept);
        house.advance(TimeDelta::minutes(61));
        assert_eq!(house.state("safeguard.own-images-only").await, State::AtRisk);
        assert_eq!(house.state("safeguard.sealed").await, State::Kept, "its period is a day");
    }

    async fn somebody_vouches_and_the_evidence_is_sealed_and_can_be_opened(db: TestDb) {
        const RULE: &str = "attestation.access-review";
        let house = House::healthy(db).await;
        let staff = house.staff(Role::Compliance).await;
        let stranger = StaffId::new(&Clock::system(), &Entropy::system());
        let attest = async |name: &str, by, evidence: &str| house.audit.attest(&house.tenant, name, by, evidence).await;
        assert!(matches!(attest("no-such", staff.id, "seen").await, Err(Error::NoAttestation)));
        assert!(matches!(attest("access-review", stranger, "seen").await, Err(Error::NotStaff)));
        assert!(matches!(attest("access-review", staff.id, " ").await, Err(Error::Evidence(_))));
        assert_eq!(house.state(RULE).await, State::Waiting);

        let entry = attest("access-review", staff.id, "canary: everybody on the list was asked").await.unwrap();
        assert_eq!(house.state(RULE).await, State::Attested);
        let opening = house.audit.evidence(&house.tenant, entry).await.unwrap();
        assert_eq!(opening.details()["evidence"], "canary: everybody on the list was asked");
        let receipt = house.ledger.receipt(entry, Some(opening)).await.unwrap();
        receipt.verify(house.ledger.verifier(), &[]).unwrap();
        let leaf = house.ledger.entry(entry).await.unwrap();
        assert!(!String::from_utf8_lossy(&leaf.bytes).contains("canary"));

        house.advance(TimeDelta::days(80));
        assert_eq!(house.state(RULE).await, State::AtRisk, "its owner is reminded 14 days ahead");
        house.advance(TimeDelta::days(20));
        assert_eq!(house.state(RULE).await, State::Overdue);
        let all = house.audit.attestations(&house.tenant).await.unwrap();
        let word = all.iter().find(|v| v.attestation == "access-review").unwrap();
        assert_eq!((word.by.clone(), word.entry), (Some(staff.id.to_string()), Some(entry)));
    }
}
