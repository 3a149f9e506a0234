//! The second factor of staff: set up, asked for, refused, lost.

use chrono::TimeDelta;
use totp_rs::Builder;
use vouchsafe::config::SecondFactor;
use vouchsafe::policy::Role;
use vouchsafe::subjects::{Error, SignedIn};

use super::{BROWSER, DESK, done, form_token, send_with, shown, with_desk};
use crate::support::app::Staff;
use crate::support::call::{Answer, Sender};
use crate::support::house::files_below;
use crate::support::{Backend, TestApp};

/// A service that asks its staff for a second factor, with the desk beside the API.
async fn strict(backend: Backend) -> Option<TestApp> {
    let app = TestApp::open_with(backend, |config| {
        config.staff.second_factor = Some(SecondFactor::Required);
    })
    .await?;
    Some(with_desk(app))
}

/// A test of such a service, on each database.
macro_rules! each_strict_app {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn body($app: TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                if let Some(app) = strict(Backend::Sqlite).await {
                    body(app).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                if let Some(app) = strict(Backend::Postgres).await {
                    body(app).await;
                }
            }
        }
    )+};
}

/// Somebody's telephone.
pub(super) struct Telephone(totp_rs::Totp);

impl Telephone {
    /// It reads the secret off the page.
    pub(super) fn reads(html: &str) -> Self {
        let (_, rest) = html.split_once("<code class=\"secret\">").expect("the page shows the secret");
        let secret: String = rest.split('<').next().unwrap().split_whitespace().collect();
        let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
        Self(Builder::new().with_secret(secret).build().unwrap())
    }

    /// The code that it shows now.
    pub(super) fn shows(&self, app: &TestApp) -> String {
        self.shows_after(app, 0)
    }

    /// The code that it shows so many seconds from now.
    fn shows_after(&self, app: &TestApp, seconds: i64) -> String {
        let at = app.now().micros() / 1_000_000 + seconds;
        self.0.generate(u64::try_from(at).unwrap()).to_string()
    }
}

/// A member who came by their link, and the session they hold.
pub(super) async fn arrive(app: &TestApp, staff: &Staff) -> Sender {
    let cookie = app.sign_in(&SignedIn::Staff(staff.member.clone())).await;
    Sender::named_cookie("__Host-desk", &cookie)
}

/// The session that an answer sets.
#[track_caller]
pub(super) fn session(answer: &Answer) -> Sender {
    let lines = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    let line = lines.into_iter().find(|l| l.starts_with("__Host-desk=")).expect("a session is set");
    assert!(line.contains("SameSite=Strict") && line.contains("HttpOnly"), "{line}");
    Sender::named_cookie("__Host-desk", line.split_once('=').unwrap().1.split(';').next().unwrap())
}

pub(super) async fn look(app: &TestApp, by: &Sender, path: &str) -> Answer {
    app.get(&format!("{DESK}{path}")).by(by).header(BROWSER.0, BROWSER.1).send().await
}

/// Sends a form as the page at `path` shows it.
pub(super) async fn fill(
    app: &TestApp,
    by: &Sender,
    path: &str,
    to: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let token = form_token(&shown(&look(app, by, path).await));
    send_with(app, by, to, fields, &token).await
}

/// Sets a factor up, from the link on: the telephone, the session, the recovery codes.
async fn set_up(app: &TestApp, staff: &Staff) -> (Telephone, Sender, Vec<String>) {
    let by = arrive(app, staff).await;
    let page = shown(&look(app, &by, "/factor").await);
    let telephone = Telephone::reads(&page);
    let code = telephone.shows(app);
    let answer = send_with(app, &by, "/factor/set-up", &[("code", &code)], &form_token(&page)).await;
    let html = shown(&answer);
    let codes: Vec<String> =
        html.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10);
    (telephone, session(&answer), codes)
}

/// The kinds of the ledger's entries about factors, oldest first.
async fn told(app: &TestApp) -> Vec<String> {
    let kinds = app.ledger_kinds().await;
    kinds.iter().filter_map(|kind| kind.strip_prefix("staff.factor-").map(ToOwned::to_owned)).collect()
}

pub(super) const HOLD: [(&str, &str); 4] =
    [("category", "device"), ("reason", "a claim"), ("law", "case 7"), ("review", "2026-12-24")];

async fn holds(app: &TestApp) -> usize {
    app.app.retention.holds(&app.tenant()).await.unwrap().len()
}

each_strict_app! {
    async fn the_first_sign_in_sets_a_factor_up_and_every_later_one_asks_for_it(app: TestApp) {
        let staff = app.staff(Role::Compliance).await;
        let by = arrive(&app, &staff).await;
        let closed = look(&app, &by, "/holds").await;
        assert_eq!(done(&closed), format!("{DESK}/factor?next=%2Fflux-kontext%2Fdesk%2Fholds"));
        assert_eq!(app.get("/v1/desk/holds").by(&by).send().await.problem(401), "step-up");

        let page = shown(&look(&app, &by, "/factor").await);
        assert!(page.contains("<svg class=\"qr\"") && page.contains("Set up your second factor"));
        assert_eq!(page.split("secret\">").nth(1), shown(&look(&app, &by, "/factor").await).split("secret\">").nth(1),
            "a reload shows the same secret");
        let wrong = send_with(&app, &by, "/factor/set-up", &[("code", "000000")], &form_token(&page)).await;
        assert!(shown(&wrong).contains("This code is not right"));
        let (telephone, inside, codes) = set_up(&app, &staff).await;
        assert!(shown(&look(&app, &inside, "/holds").await).contains("Legal holds"));
        let shown_once = shown(&look(&app, &inside, "/factor").await);
        assert!(codes.iter().all(|code| !shown_once.contains(code)) && !shown_once.contains("class=\"secret\""));

        app.advance(TimeDelta::seconds(30));
        let again = arrive(&app, &staff).await;
        assert_eq!(look(&app, &again, "").await.status, 303);
        let code = telephone.shows(&app);
        let fields = [("factor-code", code.as_str()), ("next", "/flux-kontext/desk/holds?x=1")];
        let entered = fill(&app, &again, "/factor", "/factor", &fields).await;
        assert_eq!(done(&entered), "/flux-kontext/desk/holds?x=1");
        assert_eq!(look(&app, &again, "").await.status, 303, "the session before the code is over");
        assert_eq!(look(&app, &session(&entered), "").await.status, 200);
        assert_eq!(told(&app).await, ["refused", "enrolled", "passed"]);
    }

    async fn a_code_is_taken_once_and_only_of_now(app: TestApp) {
        let staff = app.staff(Role::Admin).await;
        let (telephone, _, _) = set_up(&app, &staff).await;
        app.advance(TimeDelta::seconds(90));
        let subjects = &app.app.subjects;
        let mut halves = Vec::new();
        for _ in 0..4 {
            let link = subjects.direct_link(&SignedIn::Staff(staff.member.clone()), TimeDelta::minutes(1)).await.unwrap();
            halves.push(subjects.redeem(&app.tenant(), link.token.expose(), None).await.unwrap().session);
        }
        let (now, next) = (telephone.shows(&app), telephone.shows_after(&app, 30));
        let both = tokio::join!(subjects.prove_factor(&halves[0], &now), subjects.prove_factor(&halves[1], &now));
        assert_eq!(usize::from(both.0.is_ok()) + usize::from(both.1.is_ok()), 1, "one code, two at once, one is in");
        subjects.prove_factor(&halves[2], &next).await.unwrap();
        // A code of a step before one that was taken is over, though its time is not.
        assert!(matches!(subjects.prove_factor(&halves[3], &now).await, Err(Error::BadCode)));
        for far in [-90, 120] {
            let code = telephone.shows_after(&app, far);
            let tried = subjects.prove_factor(&halves[3], &code).await;
            assert!(matches!(tried, Err(Error::BadCode | Error::Wait(_))), "{far}");
        }
    }

    async fn wrong_codes_wait_ever_longer_and_a_right_one_waits_too(app: TestApp) {
        let staff = app.staff(Role::Admin).await;
        let (telephone, _, _) = set_up(&app, &staff).await;
        app.advance(TimeDelta::seconds(60));
        let by = arrive(&app, &staff).await;
        let token = form_token(&shown(&look(&app, &by, "/factor").await));
        let tried = async |code: &str| send_with(&app, &by, "/factor", &[("factor-code", code)], &token).await;
        for _ in 0..2 {
            assert!(shown(&tried("123").await).contains("not right, or was used"));
        }
        assert!(shown(&tried("123").await).contains("next one in 31 seconds"));
        let right = telephone.shows(&app);
        assert!(shown(&tried(&right).await).contains("next one in"), "a right code waits as well");
        app.advance(TimeDelta::seconds(31));
        assert!(shown(&tried("123").await).contains("next one in 61 seconds"));
        app.advance(TimeDelta::seconds(61));
        let right = telephone.shows(&app);
        assert_eq!(done(&tried(&right).await), DESK);
        assert_eq!(told(&app).await, ["enrolled", "refused", "refused", "refused", "refused", "passed"]);
        let log = app.ledger_entries().await;
        assert!(log.iter().all(|l| !format!("{:?}", l.leaf).contains(&right)), "no code is on the ledger");
    }

    async fn a_recovery_code_works_once(app: TestApp) {
        let staff = app.staff(Role::Admin).await;
        let (_, _, codes) = set_up(&app, &staff).await;
        let typed = codes[3].to_lowercase().replace('-', " ");
        let by = arrive(&app, &staff).await;
        let entered = fill(&app, &by, "/factor", "/factor", &[("factor-code", &typed)]).await;
        assert_eq!(done(&entered), DESK);
        let by = arrive(&app, &staff).await;
        let page = shown(&look(&app, &by, "/factor").await);
        assert!(page.contains("9 left"));
        let again = send_with(&app, &by, "/factor", &[("factor-code", &codes[3])], &form_token(&page)).await;
        assert!(shown(&again).contains("was used already"));
        // Nothing that could be typed lies in the database or the log.
        let any = regex::bytes::Regex::new(&codes.join("|").replace('-', "-?")).unwrap();
        assert!(any.is_match(codes[9].as_bytes()));
        for file in files_below(&app.data()) {
            assert!(!any.is_match(&std::fs::read(&file).unwrap_or_default()), "{} keeps a code", file.display());
        }
    }

    async fn recovery_codes_are_renewed_by_the_app_alone_and_the_old_ones_are_void(app: TestApp) {
        let staff = app.staff(Role::Support).await;
        let (telephone, inside, old) = set_up(&app, &staff).await;
        app.advance(TimeDelta::seconds(60));
        let half = arrive(&app, &staff).await;
        assert_eq!(look(&app, &half, "/factor/codes").await.status, 303, "not before a code was given");
        assert!(shown(&look(&app, &inside, "").await).contains("10 left"));
        let asked = shown(&look(&app, &inside, "/factor/codes").await);
        assert!(asked.contains("Make new recovery codes"), "{asked}");
        let token = form_token(&asked);
        let sent = async |code: &str| {
            send_with(&app, &inside, "/factor/codes", &[("factor-code", code)], &token).await
        };
        assert!(shown(&sent(&old[0]).await).contains("not right"), "a recovery code makes no others");
        let strange = send_with(&app, &inside, "/factor/codes", &[("factor-code", &telephone.shows(&app))], "x").await;
        assert_eq!(strange.status, 403);
        assert!(app.mails().is_empty(), "nothing was changed, so nothing is told");
        let html = shown(&sent(&telephone.shows(&app)).await);
        let new: Vec<String> =
            html.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
        assert_eq!(new.len(), 10);
        assert!(new.iter().all(|code| !old.contains(code)));
        assert!(shown(&sent(&telephone.shows(&app)).await).contains("was used already"), "a code is taken once");
        let kinds = app.ledger_kinds().await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "staff.codes-renewed").count(), 1);
        // Whoever did it without them is found out by a letter, and the letter opens nothing.
        let mails = app.mails();
        let [mail] = mails.as_slice() else { panic!("{} letters", mails.len()) };
        assert_eq!(mail.to, "support@flux-kontext.example");
        assert!(mail.letter.subject.contains("New recovery codes were made"), "{}", mail.letter.subject);
        assert!(mail.letter.text.contains("Those before open nothing any more"), "{}", mail.letter.text);
        assert!(new.iter().chain(&old).all(|code| !mail.letter.text.contains(code) && !mail.letter.html.contains(code)));
        let by = arrive(&app, &staff).await;
        let dead = fill(&app, &by, "/factor", "/factor", &[("factor-code", &old[1])]).await;
        assert!(shown(&dead).contains("not right, or was used") || shown(&dead).contains("Too many"));
        app.advance(TimeDelta::minutes(2));
        let entered = fill(&app, &by, "/factor", "/factor", &[("factor-code", &new[1])]).await;
        assert_eq!(done(&entered), DESK);
    }

    async fn the_gravest_acts_ask_again_and_lose_nothing_that_was_typed(app: TestApp) {
        let staff = app.staff(Role::Compliance).await;
        let (telephone, inside, _) = set_up(&app, &staff).await;
        app.advance(TimeDelta::minutes(16));
        let page = shown(&look(&app, &inside, "/holds").await);
        let token = form_token(&page);
        let asked = send_with(&app, &inside, "/holds", &HOLD, &token).await;
        let html = shown(&asked);
        assert!(html.contains("Your code once more") && html.contains("action=\"/flux-kontext/desk/holds\""));
        for (name, value) in HOLD {
            assert!(html.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name}");
        }
        assert_eq!(holds(&app).await, 0);
        // Before anything is said of whether there is such a mandate.
        let ending = send_with(&app, &inside, "/mandates/x/end", &[("why", "It has closed.")], &token).await;
        assert!(shown(&ending).contains("Your code once more"));
        let placing = serde_json::json!({ "category": "device", "matter": "case 7", "reason": "a claim",
            "review_at": "2026-12-24T00:00:00Z" });
        assert_eq!(app.post("/v1/desk/holds").by(&inside).json(&placing).send().await.problem(401), "step-up");

        let with = |code: &str| {
            let mut fields: Vec<(String, String)> =
                HOLD.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            fields.push(("factor-code".to_owned(), code.to_owned()));
            fields
        };
        let sent = async |code: &str| {
            let fields = with(code);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            send_with(&app, &inside, "/holds", &fields, &token).await
        };
        let wrong = shown(&sent("000000").await);
        assert!(wrong.contains("not right") && !wrong.contains("value=\"000000\""));
        assert_eq!(holds(&app).await, 0);
        let placed = sent(&telephone.shows(&app)).await;
        assert_eq!(done(&placed), format!("{DESK}/holds?done=held"));
        assert_eq!(holds(&app).await, 1);
        let renewed = session(&placed);
        assert_eq!(look(&app, &inside, "").await.status, 303, "the session before the proof is over");
        assert_eq!(app.get("/v1/desk/holds").by(&renewed).send().await.status, 200);
        // What is not grave asks nothing.
        app.advance(TimeDelta::minutes(16));
        let id = app.app.retention.holds(&app.tenant()).await.unwrap()[0].id;
        let path = format!("/holds/{id}/review");
        let reviewed = fill(&app, &renewed, "/holds", &path, &[("review", "2026-12-30")]).await;
        assert_eq!(done(&reviewed), format!("{DESK}/holds?done=reviewed"));
    }

    async fn reading_what_somebody_wrote_asks_again(app: TestApp) {
        let staff = app.staff(Role::Compliance).await;
        let ada = app.person("ada@example.org").await;
        let id = app.question(&ada).await;
        let reference = app.app.requests.find(&app.tenant(), id).await.unwrap().reference;
        let (_, inside, _) = set_up(&app, &staff).await;
        app.advance(TimeDelta::minutes(16));
        let path = format!("/requests/{reference}?read=yes");
        let asked = look(&app, &inside, &path).await;
        assert!(done(&asked).starts_with(&format!("{DESK}/factor?next=")), "{}", asked.header("location"));
        assert_eq!(look(&app, &inside, &format!("/requests/{reference}")).await.status, 200);
    }

    async fn a_lost_factor_is_taken_away_and_another_waits_with_the_gravest_acts(app: TestApp) {
        let staff = app.staff(Role::Compliance).await;
        let (old, inside, codes) = set_up(&app, &staff).await;
        assert!(app.app.subjects.reset_factor(&staff.member).await.unwrap());
        assert!(!app.app.subjects.reset_factor(&staff.member).await.unwrap(), "there is none any more");
        assert_eq!(look(&app, &inside, "").await.status, 303, "its sessions are over");
        app.advance(TimeDelta::seconds(60));

        let by = arrive(&app, &staff).await;
        let page = shown(&look(&app, &by, "/factor").await);
        assert!(page.contains("Your last one was taken away."));
        for dead in [old.shows(&app), codes[0].clone()] {
            let tried = send_with(&app, &by, "/factor/set-up", &[("code", &dead)], &form_token(&page)).await;
            assert!(shown(&tried).contains("Set up your second factor"));
        }
        let (telephone, inside, _) = set_up(&app, &staff).await;
        let mail = app.mails().pop().unwrap();
        assert_eq!(mail.to, "compliance@flux-kontext.example");
        assert!(mail.letter.text.contains("in place of the one before"), "{}", mail.letter.text);

        let held = fill(&app, &inside, "/holds", "/holds", &HOLD).await;
        assert_eq!(held.status, 403, "{}", held.text());
        assert!(held.text().contains("in place of another"));
        app.advance(TimeDelta::hours(72));
        let by = arrive(&app, &staff).await;
        let code = telephone.shows(&app);
        let inside = session(&fill(&app, &by, "/factor", "/factor", &[("factor-code", &code)]).await);
        assert_eq!(done(&fill(&app, &inside, "/holds", "/holds", &HOLD).await), format!("{DESK}/holds?done=held"));
        assert_eq!(told(&app).await.iter().filter(|k| *k == "reset").count(), 1);
    }

    async fn what_was_taken_away_stays_so_when_a_backup_is_put_back(app: TestApp) {
        let staff = app.staff(Role::Admin).await;
        let before = app.now();
        app.advance(TimeDelta::minutes(1));
        set_up(&app, &staff).await;
        let again = async |at| {
            app.app.subjects.reset_factor_again(&app.tenant(), staff.member.id, at).await.unwrap()
        };
        assert!(!again(before).await, "another was set up since");
        app.advance(TimeDelta::minutes(1));
        assert!(again(app.now()).await);
        let by = arrive(&app, &staff).await;
        assert!(shown(&look(&app, &by, "/factor").await).contains("Your last one was taken away."));
    }

    async fn the_way_on_leads_nowhere_but_to_this_desk(app: TestApp) {
        let staff = app.staff(Role::Admin).await;
        let (telephone, _, _) = set_up(&app, &staff).await;
        for next in ["https://evil.example", "//evil.example", "/opusflair/desk", "/flux-kontext/desk.evil",
            "/flux-kontext/desk/\\evil", "/flux-kontext/images", ""] {
            app.advance(TimeDelta::seconds(90));
            let by = arrive(&app, &staff).await;
            let code = telephone.shows(&app);
            let fields = [("factor-code", code.as_str()), ("next", next)];
            assert_eq!(done(&fill(&app, &by, "/factor", "/factor", &fields).await), DESK, "{next}");
        }
        let other = app.staff_of(crate::support::app::OTHER_TENANT, Role::Admin).await;
        let theirs = arrive(&app, &other).await;
        assert_eq!(look(&app, &theirs, "/factor").await.status, 404);
    }

    async fn whoever_has_not_given_a_code_can_leave(app: TestApp) {
        let staff = app.staff(Role::Admin).await;
        let by = arrive(&app, &staff).await;
        let out = send_with(&app, &by, "/sign-out", &[], "").await;
        assert_eq!(done(&out), format!("{DESK}/sign-in"));
        let gone = look(&app, &by, "/factor").await;
        assert_eq!(done(&gone), format!("{DESK}/sign-in"));
    }
}
