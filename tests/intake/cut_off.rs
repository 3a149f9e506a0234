//! What a process left half-done when it died, and what stays of letters that nobody confirmed.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::mail::letters::Written;
use vouchsafe::speech::Tongue;
use vouchsafe::subjects::Scope;

use super::{confirm, count, letter, link, page, send, take, token_of, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::TENANT;

async fn run(app: &TestApp, sql: &str) {
    crate::support::house::run_in(&app.app.db, sql).await;
}

/// From here on no row of a table comes to this state: as if another had taken it meanwhile.
async fn lose(app: &TestApp, table: &str, state: &str) {
    if app.app.db.is_sqlite() {
        let ignores = format!(
            "CREATE TRIGGER lost BEFORE UPDATE ON {table} WHEN NEW.state = '{state}' BEGIN SELECT RAISE(IGNORE); END"
        );
        return run(app, &ignores).await;
    }
    let ignores = format!(
        "CREATE FUNCTION lost_row() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN IF NEW.state = ''{state}'' THEN RETURN NULL; END IF; RETURN NEW; END'"
    );
    run(app, &ignores).await;
    run(
        app,
        &format!("CREATE TRIGGER lost BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION lost_row()"),
    )
    .await;
}

async fn find(app: &TestApp, table: &str) {
    let sqlite = app.app.db.is_sqlite();
    run(app, &if sqlite { "DROP TRIGGER lost".to_owned() } else { format!("DROP TRIGGER lost ON {table}") })
        .await;
}

/// The letter to Ada that an agent's proposal leads to.
async fn asked_by_an_agent(app: &TestApp) -> Written {
    let key = app.api_key(&[Scope::Agents]).await;
    let asked = json!({
        "email": "ada@example.org", "agent": "Friends", "contact": "cases@agent.example", "rights": ["access"],
        "until": "2027-06-30T00:00:00Z", "tell_status": true, "first": { "right": "access", "text": "for her" },
    });
    assert_eq!(app.post("/v1/mandates").by(&key).json(&asked).send().await.status, 202);
    app.settle().await;
    app.mails().pop().unwrap().letter
}

each_app! {
    async fn a_letter_that_another_took_meanwhile_is_not_called_used(app: TestApp) {
        let app = with_pages(app);
        app.person("ada@example.org").await;
        take(&app, letter("ada@example.org", "1", "Please send me a copy.")).await;
        let link = link(&app, "ada@example.org");
        lose(&app, "mail", "filed").await;
        assert_eq!(confirm(&app, &link, "access", "").await.status, 404);
        find(&app, "mail").await;
        app.advance(TimeDelta::minutes(6));
        app.settle().await;
        assert_eq!(confirm(&app, &link, "access", "").await.status, 200, "it works again");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM request").await, 1);
    }

    async fn a_letter_whose_filing_was_cut_off_can_be_confirmed_again(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        take(&app, letter("ada@example.org", "1", "Please send me a copy.")).await;
        let link = link(&app, "ada@example.org");
        app.advance(TimeDelta::hours(47));
        let begun = format!("UPDATE mail SET state = 'filing', stepped_at = {}", app.now().micros());
        run(&app, &begun).await;
        assert_eq!(page(&app, &link).await.status, 404, "it is being filed");
        app.settle().await;
        assert_eq!(page(&app, &link).await.status, 404, "for some minutes yet");
        app.advance(TimeDelta::hours(2));
        app.settle().await;
        assert_eq!(page(&app, &link).await.status, 200, "and past its time, since that was not its writer's fault");
        // Cut off between the filing and the note of it: done once more, it is one request.
        run(&app, "CREATE TABLE as_it_was AS SELECT * FROM mail").await;
        assert_eq!(confirm(&app, &link, "access", "").await.status, 200);
        run(
            &app,
            "UPDATE mail SET state = 'filing', sealed = (SELECT w.sealed FROM as_it_was w), \
             token_hash = (SELECT w.token_hash FROM as_it_was w), expires_at = (SELECT w.expires_at FROM as_it_was w)",
        )
        .await;
        run(&app, "DROP TABLE as_it_was").await;
        app.advance(TimeDelta::minutes(6));
        app.settle().await;
        let again = confirm(&app, &link, "access", "").await;
        assert_eq!(again.status, 200, "{}", again.text());
        assert_eq!(count(&app, "SELECT COUNT(*) FROM request").await, 1);
        assert_eq!(app.get("/v1/requests").by(&ada).send().await.json()["items"].as_array().unwrap().len(), 1);
    }

    async fn of_a_letter_that_nobody_confirmed_it_stays_that_there_was_one(app: TestApp) {
        take(&app, letter("stranger@example.org", "1", "Please erase my account. canary")).await;
        app.advance(TimeDelta::hours(49));
        app.settle().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mail").await, 0);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM lapsed_letter WHERE asked = 'erasure'").await, 1);
        app.advance(TimeDelta::days(1_100));
        app.settle().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM lapsed_letter").await, 0, "for three years");
    }

    async fn a_mandate_whose_yes_was_cut_off_can_be_given_again(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        app.app.subjects.reads_in(&ada.owner, Tongue::German).await.unwrap();
        let letter = asked_by_an_agent(&app).await;
        assert!(letter.html.contains("<html lang=\"de\">"), "in the language she reads: {}", letter.text);
        let start = letter.text.find("https://vouchsafe.test/").unwrap() + "https://vouchsafe.test".len();
        let link = letter.text[start..].split_whitespace().next().unwrap().to_owned();
        let yes = async || {
            let fields = [("token", &*token_of(&link)), ("tells", "yes")];
            send(&app, &format!("/{TENANT}/mandates/confirm"), &fields).await.status
        };
        let begun = format!("UPDATE mandate SET state = 'deciding', stepped_at = {}", app.now().micros());
        run(&app, &begun).await;
        assert_eq!(yes().await, 404);
        app.advance(TimeDelta::minutes(6));
        app.settle().await;
        assert_eq!(yes().await, 200);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM request").await, 1);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mandate WHERE state = 'confirmed'").await, 1);
    }

    async fn a_mandate_without_its_row_was_not_given(app: TestApp) {
        let app = with_pages(app);
        app.person("ada@example.org").await;
        let letter = asked_by_an_agent(&app).await;
        let link = letter.text.split_whitespace().find(|word| word.contains("/mandates/confirm?token=")).unwrap();
        let yes = async || {
            let fields = [("token", &*token_of(link)), ("tells", "yes")];
            send(&app, &format!("/{TENANT}/mandates/confirm"), &fields).await.status
        };
        let given = async || app.ledger_kinds().await.iter().filter(|kind| *kind == "mandate.given").count();
        lose(&app, "mandate", "confirmed").await;
        assert_eq!((yes().await, given().await), (404, 0), "and the ledger does not say that it was");
        find(&app, "mandate").await;
        assert_eq!((yes().await, given().await), (200, 1));
        assert_eq!(count(&app, "SELECT COUNT(*) FROM request").await, 1);
    }
}
