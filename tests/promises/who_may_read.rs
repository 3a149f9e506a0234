//! Who may read what is the document's own matrix, asked on every read; refusals and looks by staff stand on the ledger.

use chrono::TimeDelta;
use vouchsafe::base::{PageSize, Secret, StaffId};
use vouchsafe::policy::{Basis, Form, Needs, Policy, Role};
use vouchsafe::vault::{self, Access, Actor, Owner};

use super::{TENANTS, broken, count, document, entries, fact, found, kept, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};
use crate::support::house::reason;

const ROLES: [Role; 6] =
    [Role::Subject, Role::App, Role::Service, Role::Support, Role::Compliance, Role::Admin];

/// Reads a category of somebody's, as the only door to it is asked.
async fn read(
    app: &TestApp,
    owner: &Owner,
    actor: &Actor,
    category: (&str, Form),
    purpose: &str,
) -> Result<(), vault::Error> {
    let access = Access { actor, purpose };
    let page = (None, PageSize::default());
    match category {
        (name, Form::Object) => app.app.vault.objects(owner, &access, name, page).await.map(|_| ()),
        (name, Form::Record) => app.app.vault.records(owner, &access, name, page).await.map(|_| ()),
    }
}

/// What the document's rules say, read off the rules themselves: somebody is named for it, and it is held for that.
fn allowed(policy: &Policy, role: Role, category: &str, purpose: &str) -> bool {
    let by_law = policy.purpose(purpose).unwrap().basis == Basis::LegalObligation;
    let held_for_it = policy.category(category).unwrap().purposes.iter().any(|p| p == purpose);
    (by_law || held_for_it)
        && policy.access_rules().any(|rule| {
            rule.who.contains(&role)
                && rule.categories.iter().any(|c| c == category)
                && rule.purposes.iter().any(|p| p == purpose)
        })
}

/// A second member of compliance.
async fn colleague(app: &TestApp) -> StaffId {
    let email = "second@flux-kontext.example".parse().unwrap();
    app.app.subjects.hire(&app.tenant(), &email, Role::Compliance).await.unwrap().id
}

async fn actor(app: &TestApp, tenant: &str, person: &Person, role: Role) -> Actor {
    match role {
        Role::Subject => Actor::Subject(person.owner.subject),
        Role::App => Actor::App(person.owner.subject),
        Role::Service => Actor::Service,
        _ => Actor::Staff(app.staff_of(tenant, role).await.member.id, role),
    }
}

#[test]
fn no_rule_lets_staff_open_a_picture_or_a_prompt() {
    for tenant in TENANTS {
        let policy = document(tenant);
        for rule in policy.access_rules() {
            let staff = rule.who.iter().any(|r| matches!(r, Role::Support | Role::Compliance | Role::Admin));
            let open = ["input-image", "output-image", "prompt"]
                .iter()
                .any(|c| rule.categories.iter().any(|r| r == c));
            assert!(!(staff && open), "{tenant}: access.{}", rule.id);
        }
        assert!(
            policy.read_needs("account", Role::Support, "support").contains(&Needs::OpenRequest),
            "{tenant}"
        );
    }
}

each_app! {
    async fn the_matrix_of_the_document_is_the_matrix_of_the_door(app: TestApp) {
        for tenant in TENANTS {
            let policy = document(tenant);
            let person = app.person_of(tenant, "ada@example.org").await;
            app.question(&person).await;
            for purpose in policy.purposes().filter(|p| p.is_choice()) {
                app.app.consents.set(&person.owner, &purpose.id, true, "test").await.unwrap();
            }
            let (mut open, mut shut) = (0, 0);
            for role in ROLES {
                let actor = actor(&app, tenant, &person, role).await;
                if matches!(actor, Actor::Staff(..)) {
                    for purpose in policy.purposes() {
                        let access = Access { actor: &actor, purpose: &purpose.id };
                        reason(&app.app.requests, &person.owner, &access).await;
                    }
                }
                for category in policy.categories() {
                    for purpose in policy.purposes() {
                        let expected = role == Role::Subject || allowed(&policy, role, &category.id, &purpose.id);
                        let may = read(&app, &person.owner, &actor, (&category.id, category.form), &purpose.id).await;
                        let cell = format!("{tenant}: {role} reads {} for {}: {may:?}", category.id, purpose.id);
                        assert_eq!(may.is_ok(), expected, "{cell}");
                        if expected { open += 1 } else { shut += 1 }
                    }
                }
            }
            assert!(open > 50 && shut > 500, "{open} cells open, {shut} shut");
        }
    }

    async fn staff_look_only_while_a_question_is_open_and_each_look_is_written_down(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let support = app.staff(Role::Support).await;
        let by = Actor::Staff(support.member.id, Role::Support);
        let look = async |category| read(&app, &ada.owner, &by, (category, Form::Record), "support").await;
        assert!(matches!(look("account").await, Err(vault::Error::Refused(_))), "nobody asked support for anything");
        let question = app.question(&ada).await;
        assert!(matches!(look("account").await, Err(vault::Error::Refused(_))), "they did not say why");
        reason(&app.app.requests, &ada.owner, &Access { actor: &by, purpose: "support" }).await;
        look("account").await.unwrap();
        assert!(matches!(look("prompt").await, Err(vault::Error::Refused(_))));
        let me = Actor::Subject(ada.owner.subject);
        app.app.requests.cancel(&ada.owner, question, &me).await.unwrap();
        assert!(matches!(look("account").await, Err(vault::Error::Refused(_))), "the question is over");

        let looks = entries(&app, "read.staff").await;
        assert_eq!(looks.len(), 1);
        assert_eq!((fact(&looks[0], "category"), fact(&looks[0], "purpose")), ("account".into(), "support".into()));
        assert_eq!(fact(&looks[0], "staff"), support.member.id.to_string());
        let refused = entries(&app, "read.refused").await;
        assert_eq!(refused.iter().map(|e| fact(e, "category")).collect::<Vec<_>>(), ["account", "account", "prompt", "account"]);
        assert!(refused.iter().chain(&looks).all(|e| !String::from_utf8_lossy(&e.bytes).contains("ada")));
        kept(&app, TENANT, "staff-reads-recorded").await;
        app.leave_the_queue();
    }

    async fn a_reason_is_somebodys_own_for_one_person_one_purpose_and_half_an_hour(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let app = with_pages(app);
        let (one, two) = (app.staff(Role::Compliance).await.member.id, colleague(&app).await);
        let (one, two) = (Actor::Staff(one, Role::Compliance), Actor::Staff(two, Role::Compliance));
        let look = async |whose: &Person, by: &Actor, purpose| {
            read(&app, &whose.owner, by, ("device", Form::Record), purpose).await
        };
        let requests = &app.app.requests;
        let words = |words: &str| Secret::new(words.to_owned());
        let access = Access { actor: &one, purpose: "security" };
        for bad in ["", "because", "         .", &"x".repeat(501)] {
            assert!(requests.state_reason(&ada.owner, &access, &words(bad)).await.is_err(), "{bad}");
        }
        let nonsense = Access { actor: &one, purpose: "ada@example.org" };
        assert!(requests.state_reason(&ada.owner, &nonsense, &words("a good reason")).await.is_err());
        assert!(look(&ada, &one, "security").await.is_err(), "nothing was said yet");
        let until = requests.state_reason(&ada.owner, &access, &words("canary: a strange login")).await.unwrap();
        assert_eq!(until.since(app.now()), TimeDelta::minutes(30));
        look(&ada, &one, "security").await.unwrap();
        assert!(look(&eve, &one, "security").await.is_err(), "it was about Ada");
        assert!(look(&ada, &two, "security").await.is_err(), "and not theirs");
        assert!(look(&ada, &one, "rights").await.is_err(), "nor for this");

        // What was written is sealed; on the ledger stands that it was, and each look names it.
        assert!(found(&app, &["canary: a strange login"]).await.is_empty());
        let said = entries(&app, "read.reasoned").await;
        let looks = entries(&app, "read.staff").await;
        assert_eq!((said.len(), looks.len()), (1, 1));
        assert_eq!(fact(&said[0], "look"), fact(&looks[0], "look"));
        let page = app.get("/flux-kontext/privacy/readers").by(&ada).header("accept", "text/html").send().await;
        assert!(page.text().contains("canary: a strange login"), "the person reads it: {}", page.text());
        app.advance(TimeDelta::minutes(30));
        assert!(look(&ada, &one, "security").await.is_err(), "it is over");
    }

    async fn another_persons_picture_is_not_there_for_anybody(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let other = app.person_of("opusflair", "ada@example.org").await;
        let picture = app.upload(&ada, 1).await;
        let path = format!("/v1/images/{picture}");
        assert_eq!(app.get(&path).by(&ada).send().await.status, 200);
        for stranger in [&eve, &other] {
            for path in [path.clone(), format!("{path}/small"), format!("{path}/details")] {
                assert_eq!(app.get(&path).by(stranger).send().await.problem(404), "not-found", "{path}");
            }
            assert_eq!(app.delete(&path).by(stranger).send().await.problem(404), "not-found");
        }
        assert_eq!(app.get(&path).send().await.problem(401), "unauthenticated");
        assert_eq!(app.get(&path).by(&app.staff(Role::Admin).await).send().await.problem(401), "unauthenticated");
        kept(&app, TENANT, "own-images-only").await;
        // Somebody who reads past the door is found: a look that no rule allows stands on the ledger.
        let n = count(&app, "SELECT COUNT(*) FROM object").await;
        assert_eq!(n, 1);
        let actor = Actor::Staff(app.staff(Role::Support).await.member.id, Role::Support);
        let entry = vouchsafe::ledger::Entry::new(
            vouchsafe::ledger::EntryKind::READ_STAFF, app.now(), &app.tenant(), actor.role().as_str(),
        );
        let entry = entry.fact("category", "output-image").fact("purpose", "support");
        let mut tx = app.app.db.begin().await.unwrap();
        app.app.ledger.append(&mut tx, entry).await.unwrap();
        tx.commit().await.unwrap();
        broken(&app, TENANT, "own-images-only").await;
    }
}
