//! What a rule does when it fires: erase, reduce, make a count. And the facts that start its clock.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::base::{RecordId, Timestamp};
use vouchsafe::jobs::Task;
use vouchsafe::on;
use vouchsafe::policy::{Policy, Role};
use vouchsafe::vault::{Access, Actor, Error, FEWEST, Owner, Record};

use crate::each_house;
use crate::support::house::{House, document, new_record, run_in, word_in};

pub(super) fn invoice(n: u32, day: &str) -> Value {
    json!({
        "invoice-number": format!("FK-{n}"), "invoice-date": day, "amount": "9.99", "currency": "EUR", "country": "DE",
        "tax-rate": "19", "name": "Ada Lovelace", "items": "100 credits", "stripe-customer": "cus_canary",
        "method": "visa 4242", "email": "ada@example.org",
    })
}

/// Lives under the first tenant's document with these changes, in force since a while.
pub(super) async fn under(house: House, changes: &[(&str, &str)]) -> House {
    let mut text = document();
    let newer = [
        ("version = \"2026-11-01\"", "version = \"2026-11-02\""),
        ("effective = 2026-11-01", "effective = 2026-11-02"),
    ];
    for (from, to) in newer.iter().chain(changes) {
        assert!(text.contains(from), "`{from}` is not in the document");
        text = text.replace(from, to);
    }
    let changed = Policy::compile(&text)
        .unwrap_or_else(|found| panic!("{}", vouchsafe::policy::report("changed.md", &text, &found, false)));
    // Published by another process, which had nobody to tell.
    let mut tx = house.app.db.begin().await.unwrap();
    on!(tx, |c| sqlx::query(
        "INSERT INTO policy_version (tenant, version, effective_at, hash, source, published_at, entry) \
         VALUES ($1, $2, $3, $4, $5, $3, 'elsewhere')"
    )
    .bind(changed.tenant().as_str().to_owned())
    .bind(changed.version().to_owned())
    .bind(changed.starts().micros())
    .bind(changed.hash().as_slice())
    .bind(changed.source().to_owned())
    .execute(c)
    .await
    .map(|_| ()))
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(house.pass(Task::Versions).await, 1);
    assert_eq!(house.app.vault.policy(changed.tenant()).unwrap().version(), "2026-11-02");
    house
}

async fn read(house: &House, owner: &Owner, id: RecordId) -> Result<Record, Error> {
    let access = Access { actor: &Actor::Service, purpose: "rights" };
    house.app.vault.record(owner, &access, id).await
}

pub(super) async fn sweep(house: &House) -> (u64, u64) {
    let swept = house.app.retention.sweep(&|| false).await.unwrap();
    (swept.iter().map(|s| s.erased).sum(), swept.iter().map(|s| s.reduced).sum())
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

async fn sealed(house: &House, id: RecordId) -> Vec<u8> {
    let mut tx = house.app.db.read().await.unwrap();
    let (sealed,): (Vec<u8>,) = on!(tx, |c| sqlx::query_as("SELECT sealed FROM record WHERE id = $1")
        .bind(id.to_string())
        .fetch_one(c)
        .await)
    .unwrap();
    sealed
}

each_house! {
    async fn a_reduced_record_keeps_what_the_law_asks_for_and_goes_when_its_time_ends(house: House) {
        let ada = house.person("ada").await;
        let id = house.app.invoices.add(&ada, invoice(1, "2026-11-22")).await.unwrap();
        let end = time("2036-12-31T23:59:59Z");
        assert_eq!(read(&house, &ada, id).await.unwrap().item.due_at, Some(end), "whole, as long as she is here");
        house.app.subjects.close(&ada, &Actor::Subject(ada.subject)).await.unwrap();
        let copy = sealed(&house, id).await;
        house.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
        assert_eq!(sweep(&house).await.1, 0, "not before its time");
        house.advance(TimeDelta::seconds(1));
        assert_eq!(sweep(&house).await.1, 1);

        let now = read(&house, &ada, id).await.unwrap();
        let mut fields: Vec<_> = now.value.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        let kept = ["amount", "country", "currency", "invoice-date", "invoice-number", "items", "name", "tax-rate"];
        assert_eq!(fields, kept);
        assert_eq!((now.revision, now.item.done.as_slice()), (2, &["billing-reduced".to_owned()][..]));
        assert_eq!(now.item.rule.as_deref(), Some("billing"));
        assert_eq!(now.item.due_at, Some(end));
        assert_eq!(sweep(&house).await, (0, 0), "once");

        let told = house.leaves("object.reduced").await;
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("billing-reduced") && told[0].contains("\"fields-gone\":3"), "{}", told[0]);
        assert!(told[0].contains("\"key\":") && !told[0].contains("FK-1") && !told[0].contains("cus_"), "{}", told[0]);
        assert!(house.leaves("retention.swept").await.iter().any(|l| l.contains("\"reduced\":1")));

        // Whoever kept a copy of the row has something that nothing opens any more.
        let mut tx = house.app.db.begin().await.unwrap();
        on!(tx, |c| sqlx::query("UPDATE record SET sealed = $1, revision = 1 WHERE id = $2")
            .bind(&copy).bind(id.to_string()).execute(c).await.map(|_| ())).unwrap();
        tx.commit().await.unwrap();
        assert!(read(&house, &ada, id).await.is_err(), "the old key is gone");
        house.run(&format!("UPDATE record SET revision = 2 WHERE id = '{id}'")).await;

        house.advance(time("2036-12-31T23:59:58Z").since(house.now()));
        assert_eq!(sweep(&house).await, (0, 0));
        house.advance(TimeDelta::seconds(1));
        assert_eq!(sweep(&house).await, (1, 0));
        assert!(matches!(read(&house, &ada, id).await, Err(Error::NotFound)));
    }

    async fn a_reduction_cut_short_after_the_value_is_finished(house: House) {
        let ada = house.person("ada").await;
        let id = house.app.invoices.add(&ada, invoice(1, "2026-11-22")).await.unwrap();
        house.app.subjects.close(&ada, &Actor::Subject(ada.subject)).await.unwrap();
        house.run(&format!("DELETE FROM record WHERE id <> '{id}'")).await;
        house.advance(TimeDelta::days(31));
        // The keystore destroys nothing, so the rule is not noted: after the smaller value was made durable.
        let keys = house.keystore().await;
        run_in(&keys, "ALTER TABLE destruction RENAME TO away").await;
        assert!(house.app.retention.sweep(&|| false).await.is_err());
        run_in(&keys, "ALTER TABLE away RENAME TO destruction").await;
        let between = read(&house, &ada, id).await.unwrap();
        assert!(between.revision == 2 && between.item.done.is_empty(), "{between:?}");
        assert!(between.value.get("email").is_none());
        let told = house.leaves("object.reduced").await;
        assert!(told.len() == 1 && told[0].contains("\"key\":"), "told with the value, whatever comes then: {told:?}");
        // Stopped once more, now between the end of the key and the note.
        let one = word_in(&keys, &format!("SELECT item FROM item_key WHERE item = '{id}#1'")).await;
        run_in(&keys, &format!("DELETE FROM item_key WHERE item = '{one}'")).await;
        assert_eq!(sweep(&house).await, (0, 1));
        let now = read(&house, &ada, id).await.unwrap();
        assert_eq!((now.revision, now.item.done.len()), (2, 1));
        assert_eq!(house.entries("object.reduced").await, 1);
    }

    async fn a_record_that_is_small_enough_is_only_marked(house: House) {
        let ada = house.person("ada").await;
        let small = json!({ "invoice-number": "FK-2", "invoice-date": "2026-01-02", "amount": "1" });
        let id = house.app.invoices.add(&ada, small.clone()).await.unwrap();
        house.app.subjects.close(&ada, &Actor::Subject(ada.subject)).await.unwrap();
        house.advance(TimeDelta::days(31));
        assert_eq!(sweep(&house).await.1, 1);
        let now = read(&house, &ada, id).await.unwrap();
        assert_eq!((now.revision, now.value, now.item.done.len()), (1, small, 1));
    }

    async fn twenty_people_leave_a_count_and_nineteen_leave_nothing(house: House) {
        let rule = "category = \"usage\"\nerase-when = \"account.closed\"\nat-most = \"2 years after created\"";
        let anonymous = format!(
            "{rule}\naction = \"anonymise\"\nmethod = \"aggregate\"\nassessment = \"counts-tested\"\n\n\
             [attestation.counts-tested]\nwhat = \"the counts were held against singling out, linking and inferring\"\n\
             owner = \"the data protection officer\"\nevery = \"1 year\"\nevidence = \"the assessment\""
        );
        let house = under(house, &[(rule, &anonymous)]).await;
        let used = || new_record("usage", json!({ "feature": "edit", "credits": 1 }));
        let mut people = Vec::new();
        for n in 0..FEWEST {
            people.push(house.person(&format!("p{n}")).await);
        }
        for owner in &people {
            house.app.vault.add_record(owner, used()).await.unwrap();
        }
        house.app.vault.add_record(&people[0], used()).await.unwrap();
        house.advance(TimeDelta::days(20));
        for owner in people.iter().skip(1) {
            house.app.vault.add_record(owner, used()).await.unwrap();
        }
        house.advance(TimeDelta::days(731));
        assert_eq!(sweep(&house).await, (40, 0));
        assert_eq!(house.count("SELECT COUNT(*) FROM record WHERE category = 'usage'").await, 0);
        let left = house.app.vault.anonymous_counts(&people[0].tenant).await.unwrap();
        let left: Vec<_> = left.iter().map(|c| (c.month.as_str(), c.things, c.people)).collect();
        assert_eq!(left, [("2026-11", 21, 20)], "of December's nineteen there is no count");
        assert_eq!(house.count("SELECT COUNT(*) FROM anonymous_count WHERE things > 0").await, 1);
        assert!(house.leaves("retention.anonymised").await[0].contains("\"erased\":40"));
    }

    async fn coming_back_moves_the_clock_of_everything_at_once(house: House) {
        let rule = "category = [\n  \"account\", \"prompt\", \"output-image\"";
        let house = under(house, &[
            (rule, "category = [\n  \"account\", \"output-image\""),
            ("[retention.prompt]", "[retention.stale-words]\ncategory = \"prompt\"\nat-most = \"1 year after last-active\"\n\n[retention.prompt]"),
        ]).await;
        let (ada, bob) = (house.person("ada").await, house.person("bob").await);
        for owner in [&ada, &bob] {
            for n in 0..3 {
                house.prompt(owner, &format!("words {n}")).await;
            }
            house.object(owner, b"a picture").await;
        }
        house.advance(TimeDelta::days(200));
        let before = house.count("SELECT COUNT(*) FROM record WHERE due_at IS NOT NULL").await;
        house.app.subjects.touch(&bob).await.unwrap();
        assert_eq!(house.count("SELECT COUNT(*) FROM record WHERE due_at IS NOT NULL").await, before, "no row is rewritten");
        house.advance(TimeDelta::days(166));
        house.pass(Task::Inactivity).await;
        let words = |owner: &Owner| {
            format!("SELECT COUNT(*) FROM record WHERE category = 'prompt' AND subject = '{}'", owner.subject)
        };
        assert_eq!((house.count(&words(&ada)).await, house.count(&words(&bob)).await), (0, 3));
        // Only what the rule governs: the rest of her is there.
        assert_eq!(house.count(&format!("SELECT COUNT(*) FROM object WHERE subject = '{}'", ada.subject)).await, 1);
        assert!(house.app.subjects.get(&ada).await.is_ok());
        house.advance(TimeDelta::days(200));
        house.pass(Task::Inactivity).await;
        assert_eq!(house.count(&words(&bob)).await, 0);
    }

    async fn closing_an_account_starts_its_clocks_and_ends_it(house: House) {
        let ada = house.person("ada").await;
        let picture = house.object(&ada, b"a picture").await;
        house.app.vault.add_record(&ada, new_record("credits", json!({ "change": 1 }))).await.unwrap();
        let at = house.app.subjects.close(&ada, &Actor::Subject(ada.subject)).await.unwrap();
        assert_eq!(house.app.subjects.get(&ada).await.unwrap().closed_at, Some(at));
        house.advance(TimeDelta::hours(1));
        assert_eq!(house.app.subjects.close(&ada, &Actor::Service).await.unwrap(), at, "once");
        assert_eq!(house.entries("subject.closed").await, 1);
        assert!(matches!(house.try_object(&ada, "output-image", b"x").await, Err(Error::Refused(_))));
        house.pass(Task::Retention).await;
        assert!(house.bytes(&ada, &picture).await.is_err(), "results go with the closing");
        assert!(house.app.subjects.get(&ada).await.is_ok(), "the account has its thirty days");
        house.advance(TimeDelta::days(29));
        house.pass(Task::Retention).await;
        assert!(house.app.subjects.get(&ada).await.is_ok());
        house.advance(TimeDelta::days(1));
        house.pass(Task::Retention).await;
        assert!(house.app.subjects.get(&ada).await.is_err(), "the whole person is gone");
        assert_eq!(house.entries("erasure.completed").await, 1);
    }

    async fn an_invoice_counts_from_the_end_of_its_year_where_the_controller_is(house: House) {
        let named = "name = \"Flux Kontext\"\nwebsite";
        let german = "name = \"Flux Kontext\"\ncountry = \"DE\"\nwebsite";
        let house = under(house, &[(named, german)]).await;
        let ada = house.person("ada").await;
        for (day, end) in [("2025-12-31", "2035-12-31T22:59:59Z"), ("2026-01-01", "2036-12-31T22:59:59Z")] {
            let id = house.app.invoices.add(&ada, invoice(1, day)).await.unwrap();
            let kept = house.app.vault.policy(&ada.tenant).unwrap().kept_by_law("billing").unwrap();
            let item = read(&house, &ada, id).await.unwrap().item;
            assert_eq!(kept.until(&item.facts), Some(time(end)), "{day}");
        }
        assert!(house.app.invoices.add(&ada, json!({ "invoice-number": "FK-3" })).await.is_err());
        assert!(house.app.invoices.add(&ada, json!({ "invoice-date": "yesterday" })).await.is_err());
    }

    async fn what_must_be_reduced_and_does_not_open_is_erased(house: House) {
        let ada = house.person("ada").await;
        let lost = house.app.invoices.add(&ada, invoice(1, "2026-11-22")).await.unwrap();
        let whole = house.app.invoices.add(&ada, invoice(2, "2026-11-22")).await.unwrap();
        run_in(&house.keystore().await, &format!("DELETE FROM item_key WHERE item = '{lost}#1'")).await;
        house.app.subjects.close(&ada, &Actor::Subject(ada.subject)).await.unwrap();
        house.run(&format!("DELETE FROM record WHERE id NOT IN ('{lost}', '{whole}')")).await;
        house.advance(TimeDelta::days(31));
        assert_eq!(sweep(&house).await, (1, 1));
        assert_eq!(house.count(&format!("SELECT COUNT(*) FROM record WHERE id = '{lost}'")).await, 0);
        assert_eq!(read(&house, &ada, whole).await.unwrap().revision, 2);
        assert_eq!((house.entries("object.erased").await, house.entries("object.reduced").await), (1, 1));
        assert_eq!(sweep(&house).await, (0, 0));
    }

    /// The folder of epochs does not show the newest one: as on a replica whose network file system lags behind.
    async fn what_lies_under_an_epoch_that_is_not_to_be_seen_is_not_erased(house: House) {
        let ada = house.person("ada").await;
        house.app.keys.rotate().await.unwrap();
        let id = house.app.invoices.add(&ada, invoice(1, "2026-11-22")).await.unwrap();
        house.app.subjects.close(&ada, &Actor::Subject(ada.subject)).await.unwrap();
        house.run(&format!("DELETE FROM record WHERE id <> '{id}'")).await;
        house.advance(TimeDelta::days(31));
        let file = house.config.keys_folder().join("epochs").join("00000002.epoch");
        let away = house.folder().join("away");
        std::fs::rename(&file, &away).unwrap();
        let swept = house.app.retention.sweep(&|| false).await;
        assert!(swept.is_err(), "{swept:?}");
        assert_eq!(house.count(&format!("SELECT COUNT(*) FROM record WHERE id = '{id}'")).await, 1);
        assert_eq!((house.entries("object.erased").await, house.entries("object.reduced").await), (0, 0));
        std::fs::rename(&away, &file).unwrap();
        assert_eq!(sweep(&house).await, (0, 1));
        assert_eq!(read(&house, &ada, id).await.unwrap().revision, 2);
    }

    /// Found to be away for too long, and then back, before anything was done about it.
    async fn somebody_who_comes_back_in_time_stays(house: House) {
        let ada = house.person("ada").await;
        house.object(&ada, b"a picture").await;
        house.advance(TimeDelta::days(3 * 366));
        house.pass(Task::Letters).await;
        house.advance(TimeDelta::days(8));
        let found = house.app.retention.inactive(&ada.tenant).await.unwrap();
        assert_eq!(found.len(), 1);
        assert!(house.app.retention.is_still_away(&found[0]).await.unwrap());
        house.app.subjects.touch(&ada).await.unwrap();
        assert!(!house.app.retention.is_still_away(&found[0]).await.unwrap());
        let since = found[0].last_active;
        let done = house.app.requests.erase_unused(&ada, since, Role::Service).await.unwrap();
        assert!(done.is_none(), "{done:?}");
        assert!(house.app.subjects.get(&ada).await.is_ok());
        assert_eq!((house.entries("erasure.requested").await, house.entries("erasure.completed").await), (0, 0));
        let since = house.app.subjects.get(&ada).await.unwrap().last_active_at;
        let done = house.app.requests.erase_unused(&ada, since, Role::Service).await.unwrap();
        assert!(done.is_some() && house.app.subjects.get(&ada).await.is_err(), "the control: nobody came");
    }
}
