//! Audits leave dated evidence: what the program checks by itself, and what only people can do, which goes red when late.

use chrono::TimeDelta;
use vouchsafe::audit::{Exhibit, State, Verdict};
use vouchsafe::ledger::Logged;
use vouchsafe::policy::Role;

use super::{TENANTS, auditor, document, edited, entries, fact, found, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::call::Sender;

#[test]
fn both_documents_promise_a_yearly_assessment_and_a_review_of_access_every_three_months() {
    for tenant in TENANTS {
        let policy = document(tenant);
        let period = |name: &str| policy.attestations().find(|a| a.id == name).unwrap().every.to_string();
        assert_eq!(
            (period("security-audit").as_str(), period("access-review").as_str()),
            ("1 year", "3 months")
        );
        let watched: Vec<_> = policy.safeguards().map(|s| s.probe.as_str()).collect();
        assert!(watched.contains(&"self-audit"), "{tenant}");
    }
}

each_app! {
    async fn a_round_of_checks_is_on_the_ledger_with_its_date_and_can_be_verified(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        edited(&app, &ada, 1).await;
        let (audit, logs) = auditor(&app);
        let ran = audit.run_all(&app.tenant()).await.unwrap();
        assert!(ran.len() >= 18, "{}", ran.len());
        // One entry a day, and one whenever a verdict changes: the service's own round of today has written most.
        let recorded = entries(&app, "probe.recorded").await;
        for run in &ran {
            let of_this = |e: &&Logged| e.leaf.tenant == Some(app.tenant()) && fact(e, "probe") == run.check.probe;
            let entry = recorded.iter().rfind(of_this).unwrap();
            assert_eq!(entry.leaf.at, app.now());
            assert_eq!(fact(entry, "verdict"), run.check.outcome.verdict.as_str());
            let verdict = run.check.outcome.verdict;
            assert_ne!(verdict, Verdict::Failed, "{}: {}", run.check.probe, run.check.outcome.figure);
        }
        let receipt = app.app.ledger.receipt(ran[0].check.entry.unwrap(), None).await.unwrap();
        receipt.verify(app.app.ledger.verifier(), &[]).unwrap();

        // A fault in the house turns its promise, and with it the audit, and no other.
        logs.see(b"INFO mail to=ada@example.org\n");
        let turned = audit.run(&app.tenant(), "logs-clean").await.unwrap();
        assert_eq!((turned.check.outcome.verdict, turned.changed), (Verdict::Failed, true));
        let whole = audit.run(&app.tenant(), "self-audit").await.unwrap();
        assert_eq!(whole.check.outcome.verdict, Verdict::Failed);
    }

    async fn people_vouch_with_evidence_and_are_red_when_late(app: TestApp) {
        let (audit, _) = auditor(&app);
        let compliance = app.staff(Role::Compliance).await;
        let state = async |rule: &str| {
            let board = audit.promises(&app.tenant()).await.unwrap();
            board.clauses.iter().flat_map(|c| &c.rules).find(|r| r.rule == rule).unwrap().state
        };
        let by = compliance.member.id;
        let shown = |text: &str| Exhibit { text: text.to_owned(), file: None };
        let attest = async |shown| audit.attest(&app.tenant(), "security-audit", by, shown).await;
        assert!(attest(shown("")).await.is_err(), "no word without evidence");
        let entry = attest(shown("canary: the summary of 20 November")).await.unwrap();
        assert_eq!(state("attestation.security-audit").await, State::Attested);
        let opening = audit.evidence(&app.tenant(), entry).await.unwrap();
        assert_eq!(opening.details()["evidence"], "canary: the summary of 20 November");
        assert!(found(&app, &["canary: the summary"]).await.is_empty(), "what was shown is sealed");
        app.advance(TimeDelta::days(366));
        assert_eq!(state("attestation.security-audit").await, State::Overdue);
    }

    async fn the_access_review_is_a_file_for_staff_alone(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let (support, compliance) = (app.staff(Role::Support).await, app.staff(Role::Compliance).await);
        app.question(&ada).await;
        let actor = vouchsafe::vault::Actor::Staff(support.member.id, Role::Support);
        let access = vouchsafe::vault::Access { actor: &actor, purpose: "support" };
        crate::support::house::reason(&app.app.requests, &ada.owner, &access).await;
        app.app.subjects.profile(&ada.owner, &access).await.unwrap();
        app.app.ledger.sequence().await.unwrap();
        let review = app.get("/flux-kontext/desk/reads.csv").by(&compliance).send().await;
        assert_eq!(review.status, 200, "{}", review.text());
        let text = review.text();
        assert!(text.contains(&support.member.id.to_string()) && text.contains("account"), "{text}");
        assert!(!text.contains("ada@"), "{text}");
        for stranger in [Sender::from(&ada), Sender::nobody()] {
            let answer = app.get("/flux-kontext/desk/reads.csv").by(stranger).send().await;
            assert!(!answer.text().contains("support"), "{}", answer.text());
            assert_ne!(answer.status, 200);
        }
        app.leave_the_queue();
    }
}
