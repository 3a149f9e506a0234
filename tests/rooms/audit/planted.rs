//! One violation for each check, planted behind the rooms' backs: the control without which a green check means nothing.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::audit::{State, Verdict};
use vouchsafe::base::{Clock, Entropy, Secret, StaffId};
use vouchsafe::config::S3;
use vouchsafe::ledger::{Entry, EntryKind};
use vouchsafe::policy::{Facts, Policy, Role};
use vouchsafe::subjects::StaffMember;

use super::house::{House, document, marked, open_document, raw, stripped};
use crate::each_database;

each_database! {
    async fn a_picture_in_clear_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("sealed-at-rest").await;
        let blob = house.raw_blob(stripped()).await;
        house.sql(&format!("UPDATE object SET blob_key = '{blob}' WHERE category = 'input-image'")).await;
        house.fails("sealed-at-rest", "does not begin as a sealed file").await;
        assert_eq!(house.state("safeguard.sealed").await, State::Broken);
    }

    async fn a_field_in_clear_or_under_another_key_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        let clear = json!({"text": "a prompt that somebody wrote into the column by hand"}).to_string();
        house.sql_with("UPDATE record SET sealed = $1 WHERE category = 'prompt'", clear.into_bytes()).await;
        house.fails("sealed-at-rest", "a record is not sealed").await;

        house.sql("DELETE FROM record WHERE category = 'prompt'").await;
        house.passes("sealed-at-rest").await;
        house.sql_of_keys("DELETE FROM item_key WHERE item LIKE 'obj_%'", None).await;
        house.fails("sealed-at-rest", "key does not lie under its owner").await;
    }

    async fn a_category_that_no_clause_declares_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.sql("UPDATE record SET category = 'shoe-size' WHERE category = 'prompt'").await;
        house.fails("nothing-undeclared", "shoe-size").await;
        assert_eq!(house.state("category.prompt").await, State::Broken);
    }

    async fn what_was_only_on_the_way_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("temporaries-removed").await;
        let arriving = "INSERT INTO object (id, tenant, subject, category, state, blob_key, facts, policy_version, created_at, \
            expires_at) VALUES ('obj_1', '{tenant}', '{subject}', 'input-image', 'arriving', 'a1', '{}', 'x', 0, {now} - 660000000)";
        house.sql(arriving).await;
        house.fails("temporaries-removed", "1 upload that never arrived").await;
        house.sql("DELETE FROM object WHERE id = 'obj_1'").await;

        let edit = "INSERT INTO edit (id, tenant, subject, state, provider, model, inputs, progress, cost, created_at, ended_at) \
            VALUES ('edt_1', '{tenant}', '{subject}', 'succeeded', 'studio', 'pro', '', 100, 1, 0, {now} - 3600000000)";
        house.sql(edit).await;
        house.passes("temporaries-removed").await;
        house.sql("UPDATE object SET parent = 'edt_1', due_at = {now} - 660000000 WHERE category = 'input-image'").await;
        house.fails("temporaries-removed", "1 picture whose edit is over").await;
        house.sql("UPDATE object SET due_at = NULL").await;

        house.sql("INSERT INTO blob_grave (blob_key, tenant, buried_at, next_at, deletions) VALUES ('g', '{tenant}', 0, 0, 0)")
            .await;
        house.fails("temporaries-removed", "1 blob whose key is gone").await;
        house.sql("DELETE FROM blob_grave").await;

        let incoming = house.db.folder().join("incoming");
        std::fs::create_dir(&incoming).unwrap();
        let file = std::fs::File::create(incoming.join("part")).unwrap();
        let two_days_ago = house.now().plus(TimeDelta::days(-2)).to_utc();
        file.set_modified(two_days_ago.into()).unwrap();
        house.fails("temporaries-removed", "1 file left").await;
    }

    async fn a_key_that_came_back_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("backups-erased").await;
        let fence = "INSERT INTO fence (tenant, subject, class, kfp, destroyed_at) VALUES ('{tenant}', '{subject}', 'data', $1, 0)";
        house.sql_of_keys(fence, Some(vec![1; 16])).await;
        house.fails("backups-erased", "1 people erased have keys again").await;
        house.sql_of_keys("DELETE FROM fence", None).await;
        house.sql_of_keys("UPDATE item_key SET epoch = 99 WHERE item LIKE 'obj_%'", None).await;
        house.fails("backups-erased", "under an epoch that is over").await;
        house.sql_of_keys("UPDATE item_key SET epoch = 1", None).await;
        house.passes("backups-erased").await;
        house.advance(TimeDelta::days(15));
        house.fails("backups-erased", "no new key epoch").await;
    }

    async fn a_picture_with_camera_data_or_without_its_mark_is_found(db: TestDb) {
        let house = House::under(db, &open_document()).await;
        for probe in ["metadata-stripped", "ai-marked"] {
            let (verdict, figure) = house.verdict(probe).await;
            assert_eq!(verdict, Verdict::Passed, "{figure}");
            assert!(figure.contains("opened carry"), "pictures themselves were looked at: {figure}");
        }
        house.image("input-image", raw(), Facts::new()).await;
        house.fails("metadata-stripped", "1 of 3 pictures").await;
        house.image("output-image", stripped(), Facts::new()).await;
        house.fails("ai-marked", "1 of 2 results").await;
        house.image("output-image", marked(), Facts::new()).await;
        house.fails("ai-marked", "1 of 3 results").await;
    }

    async fn a_look_at_a_picture_is_found_and_so_is_one_by_nobody_known(db: TestDb) {
        let house = House::healthy(db).await;
        let staff = house.staff(Role::Admin).await;
        house.passes("own-images-only").await;
        house.passes("staff-reads-recorded").await;
        house.staff_read(&staff, "input-image", "security").await;
        house.fails("own-images-only", "1 of 2 looks").await;

        house.advance(TimeDelta::days(31));
        house.passes("own-images-only").await;
        house.passes("staff-reads-recorded").await;
        let nobody = StaffMember { id: StaffId::new(&Clock::system(), &Entropy::system()), ..staff };
        house.staff_read(&nobody, "device", "security").await;
        house.fails("staff-reads-recorded", "1 of 1 look").await;
    }

    async fn a_ledger_that_swallows_reads_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("staff-reads-recorded").await;
        if house.db.main.is_sqlite() {
            house.sql("CREATE TRIGGER swallow BEFORE INSERT ON ledger_entry WHEN NEW.kind = 'read.staff' \
                BEGIN SELECT RAISE(IGNORE); END").await;
        } else {
            house.sql("CREATE RULE swallow AS ON INSERT TO ledger_entry WHERE NEW.kind = 'read.staff' DO INSTEAD NOTHING").await;
        }
        house.fails("staff-reads-recorded", "did not take").await;
    }

    async fn what_was_made_without_a_yes_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.consents.set(&house.owner, "improvement", true, "test").await.unwrap();
        house.advance(TimeDelta::minutes(1));
        house.record("usage", json!({"feature": "edit"})).await;
        house.passes("consent-gates").await;
        house.advance(TimeDelta::minutes(1));
        house.consents.set(&house.owner, "improvement", false, "test").await.unwrap();
        house.passes("consent-gates").await;
        house.advance(TimeDelta::minutes(1));
        house.record("usage", json!({"feature": "edit"})).await;
        house.fails("consent-gates", "1 of 2 records").await;
        assert_eq!(house.state("purpose.improvement").await, State::Broken);
    }

    async fn a_disclosure_for_training_without_a_yes_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("no-training-unconsented").await;
        house.consents.set(&house.owner, "training", true, "test").await.unwrap();
        house.advance(TimeDelta::minutes(1));
        house.smuggle("fal-ai", "training", true).await;
        house.passes("no-training-unconsented").await;
        house.advance(TimeDelta::minutes(1));
        house.consents.set(&house.owner, "training", false, "test").await.unwrap();
        house.advance(TimeDelta::minutes(1));
        house.smuggle("stripe", "training", true).await;
        house.fails("no-training-unconsented", "1 of 2 disclosures").await;
    }

    async fn what_is_past_its_time_is_found_unless_the_law_holds_it(db: TestDb) {
        let house = House::healthy(db).await;
        house.advance(TimeDelta::hours(48) + TimeDelta::minutes(5));
        house.passes("retention-kept").await;
        assert_eq!(house.state("retention.input-image").await, State::AtRisk, "the sweep has ten minutes");
        house.advance(TimeDelta::minutes(6));
        house.fails("retention-kept", "1 of ").await;
        assert_eq!(house.state("retention.input-image").await, State::Broken);
        assert_eq!(house.state("retention.prompt").await, State::Kept);
        house.sql("INSERT INTO hold (id, tenant, subject, matter, reason, placed_by, placed_at, review_at) \
            VALUES ('hld_1', '{tenant}', '{subject}', 'm', 'r', 'stf_1', 0, 0)").await;
        house.passes("retention-kept").await;
        assert_eq!(house.state("retention.input-image").await, State::Kept);
    }

    async fn a_request_that_waits_too_long_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("deadlines-kept").await;
        house.advance(TimeDelta::hours(60));
        house.passes("deadlines-kept").await;
        assert_eq!(house.state("right.access").await, State::AtRisk);
        house.advance(TimeDelta::hours(13));
        house.fails("deadlines-kept", "1 of 1 open request").await;
        assert_eq!(house.state("right.access").await, State::Broken);
        assert_eq!(house.state("right.erasure").await, State::Kept);
        house.sql("UPDATE request SET answered_at = {now}").await;
        house.fails("deadlines-kept", "1 answered late").await;
        assert_eq!(house.state("right.access").await, State::Broken, "an answer that was late mends nothing");
        house.advance(TimeDelta::days(31));
        house.passes("deadlines-kept").await;
        assert_eq!(house.state("right.access").await, State::Kept);
    }

    async fn what_belongs_to_nobody_any_more_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("retention-kept").await;
        house.sql("DELETE FROM subject").await;
        house.fails("retention-kept", "belong to nobody who has an account").await;
    }

    async fn an_account_that_should_have_gone_is_found_unless_its_warning_was_late(db: TestDb) {
        const RULE: &str = "retention.inactive-account";
        let house = House::healthy(db).await;
        house.sql("DELETE FROM object").await;
        house.sql("DELETE FROM record").await;
        let unused = "UPDATE subject SET last_active_at = {now} - 1100 * 86400000000";
        house.sql(unused).await;
        house.passes("retention-kept").await;
        assert_eq!(house.state(RULE).await, State::AtRisk, "nobody is let go unwarned");
        house.fails("notices-sent", "2 of 3 things to tell").await;
        assert_eq!(house.state("notice.before-erasure").await, State::Broken);

        house.sql("UPDATE subject SET warnings = 2, warned_at = {now} - 10 * 86400000000").await;
        house.fails("retention-kept", "1 account was left unused").await;
        assert_eq!(house.state(RULE).await, State::Broken);
        house.passes("notices-sent").await;
        assert_eq!(house.state("notice.before-erasure").await, State::Kept);
        house.sql("INSERT INTO hold (id, tenant, subject, matter, reason, placed_by, placed_at, review_at) \
            VALUES ('hld_1', '{tenant}', '{subject}', 'm', 'r', 'stf_1', 0, 0)").await;
        house.passes("retention-kept").await;
    }

    async fn a_step_of_a_request_that_nobody_was_told_of_is_found(db: TestDb) {
        const RULE: &str = "notice.request-step";
        let house = House::healthy(db).await;
        house.passes("notices-sent").await;
        assert_eq!(house.state(RULE).await, State::Kept);
        house.sql("UPDATE request SET answered_at = {now} - 600000000").await;
        house.passes("notices-sent").await;
        house.advance(TimeDelta::minutes(25));
        house.fails("notices-sent", "1 of 2 things to tell").await;
        assert_eq!(house.state(RULE).await, State::Broken);
        house.letter("answered", "NULL").await;
        house.fails("notices-sent", "1 of 2 things to tell").await;
        house.sql("UPDATE letter SET sent_at = {now}").await;
        house.passes("notices-sent").await;
        assert_eq!(house.state(RULE).await, State::Kept);

        house.sql("DELETE FROM request").await;
        let (verdict, figure) = house.verdict("notices-sent").await;
        assert_eq!((verdict, figure.as_str()), (Verdict::CannotRun, "nothing had to be told yet"));
        assert_eq!(house.state(RULE).await, State::Waiting, "no green for want of an occasion");
        assert_eq!(house.state("notice.breach").await, State::Waiting);
    }

    async fn a_version_that_was_published_too_late_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        let next = document().replace("2026-11-01", "2027-01-15");
        house.library.add(Policy::compile(&next).unwrap_or_else(|d| panic!("{d:?}"))).unwrap();
        house.published("2026-11-01", "0").await;
        house.published("2027-01-15", "{now}").await;
        house.passes("notices-sent").await;
        // Fifty-three days ahead; of letters about a version there is no record yet.
        assert_eq!(house.state("notice.new-version").await, State::Waiting);
        house.sql("UPDATE policy_version SET published_at = {now} + 30 * 86400000000 WHERE version = '2027-01-15'").await;
        house.fails("notices-sent", "1 of 2 things to tell").await;
        assert_eq!(house.state("notice.new-version").await, State::Broken);
    }

    async fn a_disclosure_to_somebody_not_named_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("egress-named-only").await;
        house.smuggle("data-broker", "provide-edits", false).await;
        house.fails("egress-named-only", "1 of 2 disclosures").await;
        let s3 = |endpoint: &str| S3 {
            vendor: "generic".to_owned(),
            endpoint: endpoint.to_owned(),
            bucket: "b".to_owned(),
            region: None,
            access_key_id: Secret::new(String::new()),
            secret_access_key: Secret::new(String::new()),
        };
        house.sql("DELETE FROM disclosure WHERE processor = 'data-broker'").await;
        for (endpoint, found) in [("https://x.r2.cloudflarestorage.com", 0), ("https://s3.elsewhere.example", 1)] {
            let audit = house.auditor(|config, _| config.blobs.s3 = Some(s3(endpoint)));
            let ran = audit.run(&house.tenant, "egress-named-only").await.unwrap();
            assert_eq!(ran.check.outcome.found, found, "{endpoint}: {}", ran.check.outcome.figure);
        }
    }

    async fn a_copy_left_at_a_provider_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        let sent = house.send("fal-ai").await;
        house.passes("provider-copies-removed").await;
        house.advance(TimeDelta::minutes(61));
        house.fails("provider-copies-removed", "1 of 1 copy").await;
        assert_eq!(house.state("processor.fal-ai").await, State::Broken);
        assert_eq!(house.state("processor.stripe").await, State::Kept);
        let mut tx = house.db.main.begin().await.unwrap();
        house.disclosures.gone(&mut tx, &house.tenant, &sent, "read-fails").await.unwrap();
        tx.commit().await.unwrap();
        house.passes("provider-copies-removed").await;
    }

    async fn a_disclosure_that_only_one_account_knows_of_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("no-disclosure-unrecorded").await;
        house.smuggle("fal-ai", "provide-edits", true).await;
        house.fails("no-disclosure-unrecorded", "1 of 2 disclosures").await;
        house.sql("DELETE FROM disclosure WHERE id LIKE 'smuggled%'").await;
        house.passes("no-disclosure-unrecorded").await;

        house.sql("INSERT INTO edit (id, tenant, subject, state, provider, provider_ref, model, inputs, progress, cost, created_at) \
            VALUES ('edt_1', '{tenant}', '{subject}', 'running', 'fal-ai', 'r', 'pro', '', 0, 1, {now})").await;
        house.fails("no-disclosure-unrecorded", "1 of 2 disclosures").await;
        house.sql("DELETE FROM edit").await;
        house.passes("no-disclosure-unrecorded").await;
        house.sql("DELETE FROM disclosure").await;
        house.fails("no-disclosure-unrecorded", "1 of 1 disclosure").await;
    }

    async fn a_connection_without_a_verified_certificate_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("outbound-tls").await;
        for (url, found) in [
            ("postgres://u:p@db.example.org/v?sslmode=verify-full", 0),
            ("postgres://u:p@db.example.org/v?sslmode=require", 2),
        ] {
            let audit = house.auditor(|config, _| {
                config.store.postgres = Some(Secret::new(url.to_owned()));
                config.store.keystore_postgres = Some(Secret::new(url.to_owned()));
            });
            let ran = audit.run(&house.tenant, "outbound-tls").await.unwrap();
            assert_eq!(ran.check.outcome.found, found, "{url}: {}", ran.check.outcome.figure);
        }
    }

    async fn a_page_without_hsts_or_with_somebody_else_on_it_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("https-only").await;
        house.passes("no-tracking").await;
        house.served.change(|page| page.body = r#"<img src="https://pixel.example/1.gif">"#.to_owned());
        house.fails("no-tracking", "1 finding").await;
        house.served.change(|page| page.headers.push(("set-cookie".to_owned(), "_ga=1; Path=/".to_owned())));
        house.fails("no-tracking", "2 findings").await;
        house.fails("https-only", "1 of 1 page and 2 cookies").await;
        house.served.change(|page| page.headers.retain(|(name, _)| name != "strict-transport-security"));
        house.fails("https-only", "2 of 1 page").await;
        let plain = house.auditor(|config, _| config.server.public_url = "http://vouchsafe.test".to_owned());
        let ran = plain.run(&house.tenant, "https-only").await.unwrap();
        assert_eq!(ran.check.outcome.verdict, Verdict::Failed);
    }

    async fn a_card_number_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("payment-data-outside").await;
        house.record("billing", json!({"method": "4111 1111 1111 1111"})).await;
        house.fails("payment-data-outside", "1 of 2 records").await;
    }

    async fn an_identity_provider_without_keys_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("tokens-verified").await;
        let file = house.db.folder().join("jwks.json");
        let with = async |keys: &str| {
            std::fs::write(&file, keys).unwrap();
            let audit = house.auditor(|config, _| {
                config.tokens[0].hs256_secret = None;
                config.tokens[0].jwks_file = Some(file.clone());
            });
            audit.run(&house.tenant, "tokens-verified").await.unwrap().check.outcome.verdict
        };
        let public = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}]}"#;
        assert_eq!(with(public).await, Verdict::Passed);
        assert_eq!(with(r#"{"keys":[]}"#).await, Verdict::Failed);
        assert_eq!(with(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#).await, Verdict::Failed, "anybody could sign");
        assert_eq!(with("no json").await, Verdict::Failed);
    }

    async fn an_altered_entry_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("ledger-consistent").await;
        let entry = Entry::new(EntryKind::BACKUP_TAKEN, house.now(), &house.tenant, "service").fact("n", 1_i64);
        house.append(entry).await;
        house.passes("ledger-consistent").await;
        house.sql_with("UPDATE ledger_entry SET leaf = $1 WHERE kind = 'backup.taken'", b"{}".to_vec()).await;
        house.fails("ledger-consistent", "fault").await;
        assert_eq!(house.state("safeguard.history").await, State::Broken);
    }

    async fn a_log_line_with_an_address_is_found(db: TestDb) {
        let house = House::healthy(db).await;
        house.passes("logs-clean").await;
        house.logs.see(b"letter sent to one@example.org\n");
        house.fails("logs-clean", "1 of 2 lines").await;
    }
}
