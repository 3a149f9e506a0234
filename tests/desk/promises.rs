//! The promise board: what it says moves with what is found, and staff can ask, and vouch.

use chrono::TimeDelta;
use vouchsafe::audit::LARGEST_FILE;
use vouchsafe::policy::Role;
use vouchsafe::subjects::SignedIn;

use super::{DESK, done, form_token, open, send, shown, vouch, vouch_with, with_desk};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Staff;

const RULE: &str = "attestation.access-review";

async fn again(app: &TestApp, staff: &Staff) -> Staff {
    let cookie = app.sign_in(&SignedIn::Staff(staff.member.clone())).await;
    Staff { member: staff.member.clone(), cookie }
}

/// Whether a rule stands on the board under a state.
async fn stands(app: &TestApp, staff: &Staff, rule: &str, state: &str) -> bool {
    let html = shown(&open(app, staff, &format!("/promises?state={state}")).await);
    html.contains(&format!("href=\"{DESK}/promises/{rule}\""))
}

each_app! {
    async fn the_board_is_narrowed_by_state_and_kind_and_each_row_leads_on(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        for rule in ["retention.input-image", "right.access", "safeguard.sealed", "notice.breach", "category.prompt"] {
            assert!(stands(&app, &staff, rule, "waiting").await, "{rule}: nothing has looked yet");
            assert!(!stands(&app, &staff, rule, "kept").await, "{rule}");
        }
        app.settle().await;
        assert!(stands(&app, &staff, "retention.input-image", "kept").await);
        assert!(stands(&app, &staff, "notice.breach", "waiting").await, "nothing to tell yet");
        // This service sees its log, and nobody serves its pages here: what cannot be looked at is not green.
        assert!(stands(&app, &staff, "safeguard.encrypted-inside", "waiting").await);
        assert!(!stands(&app, &staff, "safeguard.encrypted-inside", "kept").await);
        let only = shown(&open(&app, &staff, "/promises?state=kept&kind=right").await);
        assert!(only.contains("promises/right.access") && !only.contains("promises/retention.input-image"));
        let one = shown(&open(&app, &staff, "/promises/safeguard.encrypted-inside").await);
        assert!(one.contains("the pages are not served by this process"), "{one}");
        assert!(one.contains("HSTS for a year"), "what it looks at, in words");
        assert_eq!(open(&app, &staff, "/promises/retention.no-such").await.status, 404);
        assert_eq!(open(&app, &staff, "/promises/nonsense").await.status, 404);
    }

    async fn staff_have_a_check_made_and_its_run_is_shown_with_its_proof(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        let page = "/promises/retention.input-image";
        let before = shown(&open(&app, &staff, page).await);
        assert!(before.contains("not checked yet") && before.contains("None yet. A run is written down"), "{before}");
        assert_eq!(done(&send(&app, &staff, &format!("{page}/check"), &[]).await), format!("{DESK}{page}?done=checked"));
        let html = shown(&open(&app, &staff, page).await);
        assert!(html.contains("nothing is held under it") && html.contains("Passed"), "{html}");
        let proof = html.split("href=\"/flux-kontext/ledger/").nth(1).unwrap().split('"').next().unwrap();
        let told = app.get("/v1/promises/flux-kontext").send().await.json();
        let mut rules = told["clauses"].as_array().unwrap().iter().flat_map(|c| c["rules"].as_array().unwrap());
        let rule = rules.find(|r| r["rule"] == "retention.input-image").unwrap();
        assert_eq!(rule["proof"], format!("/flux-kontext/ledger/{proof}"));
        let ledger = app.ledger_entries().await;
        let logged = &ledger[proof.parse::<usize>().unwrap()];
        assert_eq!(logged.leaf.kind.as_str(), "probe.recorded");
        assert_eq!(logged.leaf.actor, "compliance");
        for role in [Role::Support, Role::Admin] {
            let other = app.staff(role).await;
            assert_eq!(send(&app, &other, &format!("{page}/check"), &[]).await.status, 403, "{role}");
        }
        assert_eq!(send(&app, &staff, &format!("/promises/{RULE}/check"), &[]).await.status, 404, "no program looks at it");
    }

    async fn staff_vouch_with_words_and_a_file_and_it_goes_red_when_it_is_late(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        assert!(stands(&app, &staff, RULE, "waiting").await);
        let report = Some(("the review.pdf", &b"%PDF-1.7 everybody"[..]));
        let made = vouch(&app, &staff, RULE, "Everybody on <the list> was asked.", report).await;
        assert_eq!(done(&made), format!("{DESK}/promises/{RULE}?done=attested"));
        assert!(stands(&app, &staff, RULE, "attested").await);
        let html = shown(&open(&app, &staff, &format!("/promises/{RULE}")).await);
        assert!(html.contains("Everybody on &#60;the list&#62; was asked."), "{html}");
        assert!(html.contains("compliance@flux-kontext.example") && html.contains("the review.pdf"));
        let href = html.split("href=\"").find(|h| h.contains("/evidence/")).unwrap().split('"').next().unwrap();
        let path = href.strip_prefix(DESK).unwrap();
        let file = open(&app, &staff, path).await;
        assert_eq!((file.status, &file.body[..]), (200, &b"%PDF-1.7 everybody"[..]));
        assert!(file.header("content-disposition").starts_with("attachment"), "no browser opens it here");
        let support = app.staff(Role::Support).await;
        assert_eq!(open(&app, &support, path).await.status, 403);
        let elsewhere = path.replace("access-review", "agreements");
        assert_eq!(open(&app, &staff, &elsewhere).await.status, 404, "of another attestation");
        for entry in app.ledger_entries().await {
            assert!(!String::from_utf8_lossy(&entry.bytes).contains("the list"), "the ledger commits, and tells nothing");
        }

        app.advance(TimeDelta::days(366));
        let staff = again(&app, &staff).await;
        assert!(stands(&app, &staff, RULE, "overdue").await);
        let today = shown(&open(&app, &staff, "").await);
        assert!(today.contains("attestations are overdue"), "{today}");
        done(&vouch(&app, &staff, RULE, "Once more, with two who have left.", None).await);
        assert!(stands(&app, &staff, RULE, "attested").await);
        app.leave_the_queue();
    }

    async fn evidence_that_cannot_be_used_is_told_and_changes_nothing(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        let empty: (&str, &[u8]) = ("empty.pdf", b"");
        for (text, file, says) in [
            (" ", None, "href=\"#evidence\""),
            ("seen", Some(empty), "href=\"#file\""),
        ] {
            let answer = vouch(&app, &staff, RULE, text, file).await;
            assert_eq!(answer.status, 422, "{}", answer.text());
            assert!(answer.text().contains(says), "{}", answer.text());
        }
        let large = vec![7; LARGEST_FILE + 1];
        assert_eq!(vouch(&app, &staff, RULE, "seen", Some(("large.pdf", &large))).await.status, 422);
        let larger = vec![7; LARGEST_FILE + (1 << 20)];
        assert_eq!(vouch(&app, &staff, RULE, "seen", Some(("larger.pdf", &larger))).await.status, 413);
        assert_eq!(vouch(&app, &staff, "attestation.made-up", "seen", None).await.status, 404);
        assert_eq!(vouch(&app, &staff, "retention.input-image", "seen", None).await.status, 404);
        let other = app.staff(Role::Admin).await;
        let foreign = form_token(&shown(&open(&app, &other, "").await));
        for token in ["", "made-up", foreign.as_str()] {
            assert_eq!(vouch_with(&app, &staff, RULE, ("seen", None), token).await.status, 403, "{token}");
        }
        assert!(!stands(&app, &staff, RULE, "attested").await);
        assert!(!app.ledger_kinds().await.contains(&"attestation.made".to_owned()));
    }
}
