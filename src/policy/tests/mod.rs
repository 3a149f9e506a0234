use super::*;

mod broken;
mod changes;
mod hostile;
mod meaning;
mod one_number;
mod pages;
mod slips;

const FLUX: &str = include_str!("../../../policies/flux-kontext/2026-11-01.md");
const OPUS: &str = include_str!("../../../policies/opusflair/2026-05-05.md");

#[test]
fn the_shipped_documents_compile_without_a_warning() {
    for (name, source) in [("flux-kontext", FLUX), ("opusflair", OPUS)] {
        let checkup = Policy::check(source);
        let report = report(name, source, &checkup.diagnostics, false);
        assert!(checkup.policy.is_some() && checkup.diagnostics.is_empty(), "{report}");
    }
}

fn flux() -> Policy {
    Policy::compile(FLUX).unwrap()
}

fn at(text: &str) -> crate::base::Timestamp {
    crate::base::Timestamp::parse_rfc3339(text).unwrap()
}

#[test]
fn an_upload_goes_when_its_edit_succeeds_and_after_two_days_in_any_case() {
    let policy = flux();
    let facts = Facts::new().with(Fact::Uploaded, at("2026-11-02T10:00:00Z"));
    let Due::At { at: due, rule, because } = policy.due("input-image", &facts) else { panic!("no clock") };
    assert_eq!((due, rule.as_str()), (at("2026-11-04T10:00:00Z"), "input-image"));
    assert_eq!(because, "48 hours after it was uploaded");
    let done = facts.with(Fact::EditSucceeded, at("2026-11-02T10:00:07Z"));
    assert_eq!(policy.due("input-image", &done).at(), Some(at("2026-11-02T10:00:07Z")));
    let late = facts.with(Fact::EditSucceeded, at("2026-11-09T00:00:00Z"));
    assert_eq!(policy.due("input-image", &late).at(), Some(at("2026-11-04T10:00:00Z")));
}

#[test]
fn a_result_stays_until_the_account_is_closed_or_forgotten() {
    let policy = flux();
    let facts = Facts::new().with(Fact::Created, at("2026-11-02T10:00:00Z"));
    assert!(matches!(policy.due("output-image", &facts), Due::Waiting { .. }));
    let active = facts.with(Fact::LastActive, at("2026-11-05T10:00:00Z"));
    let due = policy.due("output-image", &active);
    assert_eq!(due.at(), Some(at("2029-11-05T10:00:00Z")));
    let warnings: Vec<_> = policy.warnings_before(&due).into_iter().map(|(when, _)| when).collect();
    assert_eq!(warnings, [at("2029-10-06T10:00:00Z"), at("2029-10-29T10:00:00Z")]);
    let closed = active.with(Fact::AccountClosed, at("2026-12-01T00:00:00Z"));
    assert_eq!(policy.due("output-image", &closed).at(), Some(at("2026-12-01T00:00:00Z")));
}

#[test]
fn an_invoice_is_stripped_when_the_account_closes_and_goes_when_the_law_allows() {
    let policy = flux();
    let facts = Facts::new().with(Fact::InvoiceYearEnd, at("2026-12-31T23:59:59Z"));
    assert_eq!(policy.due("billing", &facts).at(), Some(at("2036-12-31T23:59:59Z")));
    let closed = facts.with(Fact::AccountClosed, at("2027-03-01T00:00:00Z"));
    let due = policy.due("billing", &closed);
    assert_eq!((due.at(), due.rule()), (Some(at("2027-03-31T00:00:00Z")), Some("billing-reduced")));
    assert_eq!(policy.retention("billing-reduced").unwrap().action, Action::Reduce);
    let later = policy.due_after("billing", &closed, &["billing-reduced"]);
    assert_eq!((later.at(), later.rule()), (Some(at("2036-12-31T23:59:59Z")), Some("billing")));
    // Without the invoice's date nothing is erased early, but the stripping does not wait for it.
    let unknown = Facts::new().with(Fact::AccountClosed, at("2027-03-01T00:00:00Z"));
    assert_eq!(policy.due("billing", &unknown).rule(), Some("billing-reduced"));
    assert!(matches!(policy.due_after("billing", &unknown, &["billing-reduced"]), Due::Waiting { .. }));
}

#[test]
fn what_the_document_does_not_name_is_refused() {
    let policy = flux();
    assert!(policy.may_store("input-image").is_ok());
    assert_eq!(policy.may_store("face-template").unwrap_err().rule, "category.face-template");
    assert!(policy.may_send("input-image", "fal-ai", "provide-edits").is_ok());
    for (category, processor, purpose) in [
        ("account", "fal-ai", "provide-edits"),
        ("input-image", "replicate", "provide-edits"),
        ("input-image", "stripe", "billing"),
        ("output-image", "fal-ai", "training"),
        ("input-image", "fal-ai", "resale"),
    ] {
        assert!(
            policy.may_send(category, processor, purpose).is_err(),
            "{category} to {processor} for {purpose}"
        );
    }
    assert!(policy.due("face-template", &Facts::new()).at().is_none());
}

#[test]
fn only_the_person_opens_their_pictures_and_support_sees_what_it_needs() {
    let policy = flux();
    for category in ["input-image", "output-image", "prompt"] {
        assert!(policy.may_read(category, Role::Subject, "account").is_ok(), "{category}");
        for role in [Role::Support, Role::Compliance, Role::Admin] {
            for purpose in ["support", "rights", "security", "provide-edits"] {
                assert!(
                    policy.may_read(category, role, purpose).is_err(),
                    "{role} read {category} for {purpose}"
                );
            }
        }
        assert!(policy.may_read(category, Role::Service, "rights").is_ok(), "{category}");
    }
    assert!(policy.may_read("account", Role::Support, "support").is_ok());
    assert!(policy.may_read("account", Role::Support, "billing").is_err());
    assert!(policy.may_read("account", Role::Support, "a-purpose-of-mine").is_err());
    assert_eq!(policy.read_needs("account", Role::Support, "support"), [Needs::Reason, Needs::OpenRequest]);
}

#[test]
fn training_needs_an_explicit_yes_and_security_can_be_objected_to() {
    let policy = flux();
    let training = policy.purpose("training").unwrap();
    assert!(training.explicit && training.needs_consent() && !training.default_on && !training.allowed(None));
    assert!(training.allowed(Some(true)));
    let security = policy.purpose("security").unwrap();
    assert!(security.objectable && security.allowed(None) && !security.allowed(Some(false)));
    let edits = policy.purpose("provide-edits").unwrap();
    assert!(edits.allowed(Some(false)), "a contract is not a choice");
}

#[test]
fn a_request_has_two_clocks_and_neither_moves_the_other() {
    let received = at("2026-11-25T09:30:00Z");
    let clocks = flux().clocks(Right::Erasure, received, &[]).unwrap();
    assert_eq!(clocks.promise, at("2026-11-28T09:30:00Z"), "a Saturday is a day like any other");
    let legal = clocks.legal.unwrap();
    assert_eq!(legal.due, at("2026-12-25T23:59:59Z"), "no country, no holidays");
    assert_eq!(legal.extended, at("2027-02-25T23:59:59Z"));
}

#[test]
fn prose_takes_its_numbers_from_the_rules() {
    let policy = flux();
    let clause = policy.clause("input-images").unwrap();
    assert!(clause.html.contains("gone 48 hours after it arrived"), "{}", clause.html);
    assert_eq!(clause.rules, ["category.input-image", "retention.input-image", "purpose.provide-edits"]);
    assert!(clause.rule_source.starts_with("[category.input-image]"));
    assert!(!clause.html.contains("erase-when"));
    let changed =
        FLUX.replace("at-most = \"48 hours after uploaded\"", "at-most = \"24 hours after uploaded\"");
    let policy = Policy::compile(&changed).unwrap();
    assert!(policy.clause("input-images").unwrap().html.contains("gone 24 hours after it arrived"));
    assert!(policy.clause("retention").unwrap().html.contains("and 24 hours after the upload"));
    assert_ne!(policy.hash(), flux().hash());
}

#[test]
fn opusflair_lets_people_object_where_flux_kontext_asks_them() {
    let opus = Policy::compile(OPUS).unwrap();
    for id in ["analytics", "improvement"] {
        let (asked, objected) = (flux(), &opus);
        assert!(
            asked.purpose(id).unwrap().needs_consent() && !asked.purpose(id).unwrap().allowed(None),
            "{id}"
        );
        assert!(
            objected.purpose(id).unwrap().objectable && objected.purpose(id).unwrap().allowed(None),
            "{id}"
        );
    }
    assert!(opus.may_send("input-image", "replicate", "provide-edits").is_ok());
    assert!(opus.may_send("input-image", "fal-ai", "provide-edits").is_err());
    assert!(opus.processor("supabase").unwrap().has_host("abc.supabase.co"));
    assert!(!opus.processor("supabase").unwrap().has_host("supabase.co.evil.example"));
}
