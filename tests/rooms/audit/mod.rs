//! The audit: green in a healthy house, red for each thing planted in it, and never green for what could not be looked at.

mod house;
mod planted;

use std::sync::Arc;

use chrono::TimeDelta;
use vouchsafe::audit::{Attached, Error, Exhibit, LARGEST_FILE, Pages, State, Verdict};
use vouchsafe::base::{Clock, Entropy, StaffId};
use vouchsafe::policy::spec::PROBES;
use vouchsafe::policy::{Role, RuleKind};

use crate::each_database;
use house::{House, Served};

each_database! {
    async fn in_a_healthy_house_every_check_passes(db: TestDb) {
        let house = House::healthy(db).await;
        let ran = house.audit.run_due(house.now(), &|| false).await.unwrap();
        assert!(ran.iter().all(|r| r.changed), "a first run is a change");
        for (probe, _) in PROBES {
            house.passes(probe).await;
        }
        for clause in house.audit.promises(&house.tenant).await.unwrap().clauses {
            for rule in &clause.rules {
                let expected = match rule.kind {
                    // Of the occasions on which people must be told, one request came.
                    RuleKind::Notice if rule.rule == "notice.request-step" => State::Kept,
                    RuleKind::Attestation | RuleKind::Notice => State::Waiting,
                    _ => State::Kept,
                };
                assert_eq!(rule.state, expected, "{}: {}", rule.rule, rule.figure);
                assert_eq!(rule.entry.is_some(), rule.kind != RuleKind::Attestation, "{}", rule.rule);
            }
        }
        let prompt = house.state("retention.prompt").await;
        assert_eq!(prompt, State::Kept);
    }

    async fn what_proves_a_promise_is_an_entry_that_anybody_can_verify(db: TestDb) {
        let house = House::healthy(db).await;
        house.audit.run_all(&house.tenant).await.unwrap();
        let waiting = house.audit.promises(&house.tenant).await.unwrap();
        assert_eq!(waiting.rule("retention.input-image").unwrap().place, None, "the entry waits for the tree");
        house.ledger.sequence().await.unwrap();
        let board = house.audit.promises(&house.tenant).await.unwrap();
        let clause = board.clauses.iter().find(|c| c.clause == "input-images").unwrap();
        assert_eq!(clause.state, Some(State::Kept));
        let logged = house.ledger.entry(clause.entry.unwrap()).await.unwrap();
        assert_eq!(clause.place, Some(logged.index));
        let receipt = house.ledger.receipt(clause.entry.unwrap(), None).await.unwrap();
        receipt.verify(house.ledger.verifier(), &[]).unwrap();
    }

    async fn a_check_is_made_when_it_is_due_and_stands_on_the_ledger_once_a_day(db: TestDb) {
        let house = House::healthy(db).await;
        let entries = async || house.audit.history(&house.tenant, "own-images-only", 50).await.unwrap().len();
        let due = async || {
            let ran = house.audit.run_due(house.now(), &|| false).await.unwrap();
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
        house.advance(TimeDelta::seconds(1));
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
        let pages: Arc<dyn Pages> = Served::sound();
        development.see_pages(&pages);
        let verdict = async |probe| development.run(&house.tenant, probe).await.unwrap().check.outcome.verdict;
        assert_eq!(verdict("https-only").await, Verdict::CannotRun);
        assert_eq!(verdict("no-tracking").await, Verdict::Passed, "what a page calls has nothing to do with TLS");
        drop(pages);
        assert_eq!(verdict("no-tracking").await, Verdict::CannotRun, "nobody serves them any more");
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
        const SAID: &str = "canary: everybody on the list was asked";
        let house = House::healthy(db).await;
        let staff = house.staff(Role::Compliance).await;
        let stranger = StaffId::new(&Clock::system(), &Entropy::system());
        let attest = async |name: &str, by, shown| house.audit.attest(&house.tenant, name, by, shown).await;
        assert!(matches!(attest("no-such", staff.id, said("seen")).await, Err(Error::Missing("attestation"))));
        assert!(matches!(attest("access-review", stranger, said("seen")).await, Err(Error::NotStaff)));
        for bad in [said(" "), said(&"x".repeat(20_001)), with_file("", b"x"), with_file("a.pdf", b"")] {
            assert!(matches!(attest("access-review", staff.id, bad).await, Err(Error::Evidence(_))));
        }
        let too_large = with_file("a.pdf", &vec![0; LARGEST_FILE + 1]);
        assert!(matches!(attest("access-review", staff.id, too_large).await, Err(Error::Evidence(_))));
        assert_eq!(house.state(RULE).await, State::Waiting);

        let entry = attest("access-review", staff.id, said(SAID)).await.unwrap();
        assert_eq!(house.state(RULE).await, State::Attested);
        let opening = house.audit.evidence(&house.tenant, entry).await.unwrap();
        assert_eq!(opening.details()["evidence"], SAID);
        let receipt = house.ledger.receipt(entry, Some(opening)).await.unwrap();
        receipt.verify(house.ledger.verifier(), &[]).unwrap();
        let leaf = house.ledger.entry(entry).await.unwrap();
        assert!(!String::from_utf8_lossy(&leaf.bytes).contains("canary"));
        assert!(matches!(house.audit.attached(&house.tenant, entry).await, Err(Error::Missing("file"))));

        house.advance(TimeDelta::days(80));
        assert_eq!(house.state(RULE).await, State::AtRisk, "its owner is reminded 14 days ahead");
        house.advance(TimeDelta::days(20));
        assert_eq!(house.state(RULE).await, State::Overdue);
        let all = house.audit.attestations(&house.tenant).await.unwrap();
        let word = all.iter().find(|v| v.attestation == "access-review").unwrap();
        assert_eq!((word.by, word.entry), (Some(staff.id), Some(entry)));
    }

    async fn a_file_is_sealed_with_its_word_and_comes_back_as_it_was(db: TestDb) {
        let house = House::healthy(db).await;
        let staff = house.staff(Role::Compliance).await;
        let shown = with_file("../../review (final).pdf", b"%PDF canary of the file");
        let entry = house.audit.attest(&house.tenant, "access-review", staff.id, shown).await.unwrap();
        house.advance(TimeDelta::seconds(1));
        house.audit.attest(&house.tenant, "access-review", staff.id, said("once more")).await.unwrap();
        let file = house.audit.attached(&house.tenant, entry).await.unwrap();
        assert_eq!((file.name.as_str(), &file.bytes[..]), ("review (final).pdf", &b"%PDF canary of the file"[..]));
        let words = house.audit.vouched(&house.tenant, "access-review", 10).await.unwrap();
        assert_eq!(words.iter().map(|w| w.file).collect::<Vec<_>>(), [false, true], "newest first");

        house.sql_with("UPDATE attestation_file SET sealed = $1", vec![7; 60]).await;
        assert!(house.audit.attached(&house.tenant, entry).await.is_err(), "another file in its place does not open");
    }

    async fn a_check_that_somebody_asks_for_is_on_the_ledger_with_who_asked(db: TestDb) {
        let house = House::healthy(db).await;
        let staff = house.staff(Role::Compliance).await;
        let stranger = StaffId::new(&Clock::system(), &Entropy::system());
        let ask = async |probe: &str, by| house.audit.ask(&house.tenant, probe, by).await;
        assert!(matches!(ask("no-such-probe", staff.id).await, Err(Error::Missing("check"))));
        assert!(matches!(ask("retention-kept", stranger).await, Err(Error::NotStaff)));
        for n in 1..=2 {
            ask("retention-kept", staff.id).await.unwrap();
            house.ledger.sequence().await.unwrap();
            let runs = house.audit.history(&house.tenant, "retention-kept", 10).await.unwrap();
            assert_eq!(runs.len(), n, "each, though nothing changed");
            let entry = house.ledger.entry(runs[0].entry).await.unwrap();
            assert_eq!(runs[0].place, Some(entry.index));
            assert!(String::from_utf8_lossy(&entry.bytes).contains(&staff.id.to_string()));
        }
    }

    async fn a_look_from_outside_writes_nothing_down(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("logs-clean").await;
        let blind = house.auditor(|_, _| {});
        let seen = blind.look(&house.tenant).await.unwrap();
        let of = |probe: &str| seen.iter().find(|(w, _)| w.probe == probe).map(|(_, o)| o.verdict);
        assert_eq!((of("logs-clean"), of("retention-kept")), (Some(Verdict::CannotRun), Some(Verdict::Passed)));
        assert_eq!(of("self-audit"), None);
        assert_eq!(house.state("safeguard.logs-clean").await, State::Kept, "as the service itself found it");
        assert_eq!(house.audit.latest(&house.tenant).await.unwrap().len(), 1);
    }
}

fn said(text: &str) -> Exhibit {
    Exhibit { text: text.to_owned(), file: None }
}

fn with_file(name: &str, bytes: &[u8]) -> Exhibit {
    Exhibit { file: Some(Attached { name: name.to_owned(), bytes: bytes.to_vec() }), ..said("see the file") }
}
