//! Who gets in, and which page opens to whom.

use vouchsafe::policy::Role;
use vouchsafe::web::desk::roles::Page;

use super::{BROWSER, DESK, ROLES, done, form_token, open, send_with, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::OTHER_TENANT;
use crate::support::call::{Answer, Sender};

/// The pages that can be looked at, by their path.
const PAGES: [(Page, &str); 16] = [
    (Page::Today, ""),
    (Page::Requests, "/requests"),
    (Page::Retention, "/retention"),
    (Page::Promises, "/promises"),
    (Page::Policies, "/policies"),
    (Page::Promises, "/promises/retention.input-image"),
    (Page::Holds, "/holds"),
    (Page::Processors, "/processors"),
    (Page::Processors, "/processors/record.html"),
    (Page::Processors, "/processors/record.csv"),
    (Page::Processors, "/processors/record.json"),
    (Page::Mandates, "/mandates"),
    (Page::Reads, "/reads"),
    (Page::Reads, "/reads.csv"),
    (Page::Ledger, "/ledger"),
    (Page::People, "/people"),
];

/// The value of the cookie of this name that an answer sets.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap().to_owned());
    all.into_iter().find(|line| line.starts_with(&format!("{name}=")))
}

fn value(line: &str) -> String {
    line.split_once('=').unwrap().1.split(';').next().unwrap().to_owned()
}

/// Asks for a link as a browser does, and gives its nonce and the page that comes back.
async fn ask(app: &TestApp, email: &str, nonce_name: &str) -> (String, String) {
    let door = app.get(&format!("{DESK}/sign-in")).header(BROWSER.0, BROWSER.1).send().await;
    let nonce = value(&cookie(&door, nonce_name).unwrap());
    let by = Sender::named_cookie(nonce_name, &nonce);
    let token = form_token(&shown(&door));
    let sent = send_with(app, by, "/sign-in", &[("email", email)], &token).await;
    (nonce, shown(&sent))
}

each_app! {
    async fn each_role_opens_its_own_pages_and_no_other(app: TestApp) {
        let app = with_desk(app);
        for role in ROLES {
            let staff = app.staff(role).await;
            for (page, path) in PAGES {
                let answer = open(&app, &staff, path).await;
                let expected = if page.lets(role) { 200 } else { 403 };
                assert_eq!(answer.status, expected, "{role} {path}: {}", answer.text());
            }
        }
    }

    async fn a_page_names_only_what_its_reader_may_open(app: TestApp) {
        let app = with_desk(app);
        for role in ROLES {
            let staff = app.staff(role).await;
            let html = shown(&open(&app, &staff, "").await);
            for (page, path) in PAGES.into_iter().filter(|(_, path)| !path.is_empty() && !path.contains('.')) {
                let named = html.contains(&format!("href=\"{DESK}{path}\""));
                assert_eq!(named, page.lets(role), "{role} {path}");
            }
        }
    }

    async fn nobody_gets_in_without_a_session_of_this_tenants_staff(app: TestApp) {
        let app = with_desk(app);
        let person = app.person("ada@example.org").await;
        let other = app.staff_of(OTHER_TENANT, Role::Compliance).await;
        for (page, path) in PAGES {
            let browser = app.get(&format!("{DESK}{path}")).header(BROWSER.0, BROWSER.1).send().await;
            assert_eq!(done(&browser), format!("{DESK}/sign-in"), "{page:?}");
            let program = app.get(&format!("{DESK}{path}")).send().await;
            assert_eq!(program.status, 401, "{page:?}");
            let theirs = app.get(&format!("{DESK}{path}"));
            let theirs = theirs.by(Sender::named_cookie("__Host-desk", &person.cookie)).send().await;
            assert_eq!(theirs.status, 401, "{page:?}");
            assert_eq!(open(&app, &other, path).await.status, 404, "{page:?}");
        }
        let nowhere = app.get("/no-such-tenant/desk").header(BROWSER.0, BROWSER.1).send().await;
        assert_eq!(nowhere.status, 404);
    }

    async fn staff_sign_in_by_a_link_to_their_mailbox(app: TestApp) {
        let app = with_desk(app);
        let admin = app.staff(Role::Admin).await;
        let (nonce, unknown) = ask(&app, "nobody@flux-kontext.example", "__Host-ask").await;
        app.work().await;
        assert!(app.mails().is_empty() && !nonce.is_empty());
        let (nonce, known) = ask(&app, "admin@flux-kontext.example", "__Host-ask").await;
        let same = |html: &str| html.replace("admin@", "nobody@").split("name=\"csrf\"").next().unwrap().to_owned();
        assert_eq!(same(&known), same(&unknown), "an address of staff and another are answered alike");
        assert!(app.mails().is_empty(), "nothing is written while somebody waits for the answer");
        app.work().await;

        let mail = app.mails().pop().unwrap();
        assert_eq!(mail.to, "admin@flux-kontext.example");
        let link = mail.letter.text.lines().find(|l| l.contains("/desk/sign-in/confirm?")).unwrap().to_owned();
        let path = link.strip_prefix("https://vouchsafe.test").unwrap();
        let by = Sender::named_cookie("__Host-ask", &nonce);
        let page = shown(&app.get(path).by(&by).header(BROWSER.0, BROWSER.1).send().await);
        let token = path.split("token=").nth(1).unwrap().split('&').next().unwrap();
        let fields = [("token", token)];
        let strange = Sender::named_cookie("__Host-ask", "another-browser");
        let refused = send_with(&app, strange, "/sign-in/confirm", &fields, &form_token(&page)).await;
        assert!(shown(&refused).contains("open for too long"));
        let entered = send_with(&app, &by, "/sign-in/confirm", &fields, &form_token(&page)).await;
        assert_eq!(done(&entered), DESK);
        let line = cookie(&entered, "__Host-desk").unwrap();
        for part in ["SameSite=Strict", "HttpOnly", "Secure", "Path=/"] {
            assert!(line.contains(part), "{line}");
        }
        let session = Sender::named_cookie("__Host-desk", &value(&line));
        let inside = app.get(DESK).by(&session).header(BROWSER.0, BROWSER.1).send().await;
        assert!(shown(&inside).contains("admin@flux-kontext.example"));
        let again = send_with(&app, &by, "/sign-in/confirm", &fields, &form_token(&page)).await;
        assert!(shown(&again).contains("was used, has run out"));

        let out = send_with(&app, &session, "/sign-out", &[], "").await;
        assert_eq!(done(&out), format!("{DESK}/sign-in"));
        assert_eq!(app.get(DESK).by(&session).send().await.status, 401);
        assert_eq!(open(&app, &admin, "").await.status, 200, "another session of theirs goes on");
    }

    async fn a_form_without_its_sessions_token_changes_nothing(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        let other = app.staff(Role::Admin).await;
        let foreign = form_token(&shown(&open(&app, &other, "").await));
        let hold = [("category", "device"), ("reason", "a claim"), ("law", "case 7"), ("review", "2026-12-24")];
        for token in ["", "made-up", foreign.as_str()] {
            assert_eq!(send_with(&app, &staff, "/holds", &hold, token).await.status, 403, "{token}");
        }
        assert!(app.app.retention.holds(&app.tenant()).await.unwrap().is_empty());
    }
}
