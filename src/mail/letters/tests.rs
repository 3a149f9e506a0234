use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn head(tongue: Tongue) -> Letterhead {
    Letterhead {
        brand: "Flux Kontext".into(),
        contact: "privacy@example.org".into(),
        privacy_link: "https://example.org/flux-kontext/privacy".into(),
        development: false,
        tongue,
    }
}

fn acknowledged(tongue: Tongue) -> RequestAcknowledged {
    RequestAcknowledged {
        head: head(tongue),
        reference: "R-2026-0153".into(),
        title: "Take my data home".into(),
        received: at("2026-11-22T14:07:00Z"),
        promised_by: at("2026-11-25T14:07:00Z"),
        law_by: at("2026-12-22T23:00:00Z"),
        identity: "You were signed in, so we know it is you.".into(),
        link: "https://example.org/flux-kontext/privacy/requests/R-2026-0153".into(),
    }
}

fn all(tongue: Tongue) -> Vec<(&'static str, Written)> {
    let sign_in = SignInLink {
        head: head(tongue),
        link: "https://example.org/flux-kontext/sign-in/confirm?token=4f1c".into(),
        code: "408 215".into(),
        until: at("2026-11-22T14:22:00Z"),
        opens_account: false,
    };
    let answered = RequestAnswered {
        head: head(tongue),
        reference: "R-2026-0153".into(),
        title: "Take my data home".into(),
        answer: vec!["Everything we hold about you is in one archive.".into()],
        archive_until: Some(at("2026-12-20T12:12:00Z")),
        remedy: None,
        link: acknowledged(tongue).link,
    };
    let refused = RequestAnswered {
        archive_until: None,
        remedy: Some(
            "You can complain to the data protection authority where you live, and you can go to court."
                .into(),
        ),
        ..answered.clone()
    };
    let stays = vec!["3 invoices, because tax law obliges us, until 31 December 2036.".to_owned()];
    let scheduled = ErasureScheduled {
        head: head(tongue),
        reference: "R-2026-0154".into(),
        at: at("2026-11-25T14:07:00Z"),
        images: 214,
        stays: stays.clone(),
        take_back_link: "https://example.org/flux-kontext/take-back?token=77ab".into(),
    };
    let done = ErasureDone {
        head: head(tongue),
        reference: "R-2026-0154".into(),
        at: at("2026-11-25T14:08:00Z"),
        stays,
        backups_until: at("2026-12-09T14:08:00Z"),
        receipt_file: "receipt-0192f3a4.json".into(),
        verifier_key: "example.org+1a2b3c4d+AZ4Kb9xQ0v1n6c2Yq8sT3rJ7mW5uE0pL4hD9gF2aX1k=".into(),
        key_link: "https://example.org/ledger/key".into(),
        receipt_link: "https://example.org/flux-kontext/receipts/rct_0192".into(),
        proof_link: "https://example.org/flux-kontext/erased/req_0192".into(),
    };
    let mut all = vec![
        ("sign-in-link", sign_in.write().unwrap()),
        ("open-account", SignInLink { opens_account: true, ..sign_in }.write().unwrap()),
        ("request-acknowledged", acknowledged(tongue).write().unwrap()),
        ("request-answered", answered.write().unwrap()),
        ("request-refused", refused.write().unwrap()),
        ("erasure-scheduled", scheduled.write().unwrap()),
        ("erasure-done", done.write().unwrap()),
    ];
    all.extend(ahead(tongue));
    all.extend(asked(tongue));
    all.extend(late(tongue));
    all
}

/// Letters about who somebody is: whether they wrote, whom they let act, what their second factor is.
fn asked(tongue: Tongue) -> Vec<(&'static str, Written)> {
    let confirm = ConfirmLetter {
        head: head(tongue),
        received: at("2026-11-22T14:07:00Z"),
        until: at("2026-11-24T14:07:00Z"),
        promised_by: at("2026-11-25T14:07:00Z"),
        link: "https://example.org/flux-kontext/letters/confirm?token=4f1c".into(),
    };
    let mandate = ConfirmMandate {
        head: head(tongue),
        agent: "Rights for All".into(),
        until: at("2026-11-29T14:07:00Z"),
        link: "https://example.org/flux-kontext/mandates/confirm?token=4f1c".into(),
    };
    let stopped = MandateStopped {
        head: head(tongue),
        agent: "Rights for All".into(),
        at: at("2026-11-22T14:07:00Z"),
        reason: "The agent went out of business.".into(),
    };
    let taken_away = StaffFactorChanged {
        head: head(tongue),
        at: at("2026-11-22T14:07:00Z"),
        what: FactorChange::TakenAway,
        desk_link: "https://example.org/flux-kontext/desk".into(),
    };
    let replaced = FactorChange::Replaced(at("2026-11-25T14:07:00Z"));
    let replaced = StaffFactorChanged { what: replaced, ..taken_away.clone() };
    let renewed = StaffFactorChanged { what: FactorChange::CodesRenewed, ..taken_away.clone() };
    let link = "https://example.org/flux-kontext/address/confirm?token=4f1c".to_owned();
    let address = ConfirmAddress { head: head(tongue), until: at("2026-11-23T14:07:00Z"), link };
    let undo_link = "https://example.org/flux-kontext/address/undo?token=77ab".to_owned();
    let sign_in_link = "https://example.org/flux-kontext/sign-in".to_owned();
    vec![
        ("confirm-address", address.write().unwrap()),
        ("address-changed", AddressChanged { head: head(tongue), undo_link }.write().unwrap()),
        ("address-taken", AddressTaken { head: head(tongue), sign_in_link }.write().unwrap()),
        ("confirm-mandate", mandate.write().unwrap()),
        ("mandate-stopped", stopped.write().unwrap()),
        ("confirm-letter", confirm.write().unwrap()),
        ("staff-factor-taken-away", taken_away.write().unwrap()),
        ("staff-factor-replaced", replaced.write().unwrap()),
        ("staff-codes-renewed", renewed.write().unwrap()),
    ]
}

/// Letters about requests that take long, or that nobody confirmed.
fn late(tongue: Tongue) -> Vec<(&'static str, Written)> {
    let RequestAcknowledged { reference, title, link, received, .. } = acknowledged(tongue);
    let extended = RequestExtended {
        head: head(tongue),
        reference: reference.clone(),
        title: title.clone(),
        reasons: vec!["Vier Systeme.".into()],
        until: at("2027-02-22T23:00:00Z"),
        remedy: "Eine Behörde und ein Gericht.".into(),
        link: link.clone(),
    };
    let lapsed = RequestLapsed { head: head(tongue), reference, title, received, agent_removed: false, link };
    let removed = RequestLapsed { agent_removed: true, ..lapsed.clone() };
    let waits = ErasureWaits {
        head: head(tongue),
        reference: "R-2026-0154".into(),
        begun: at("2026-11-25T14:08:00Z"),
        unreadable: Some(at("2026-11-25T14:09:00Z")),
        waits_for: vec!["Stripe: 503.".into()],
        proof_link: "https://example.org/flux-kontext/erased/req_0192".into(),
    };
    vec![
        ("request-extended", extended.write().unwrap()),
        ("request-lapsed", lapsed.write().unwrap()),
        ("request-of-a-removed-agent", removed.write().unwrap()),
        ("erasure-waits", waits.write().unwrap()),
    ]
}

/// Letters that nobody asked for: of what is going to happen.
fn ahead(tongue: Tongue) -> Vec<(&'static str, Written)> {
    let inactive = InactivityWarning {
        head: head(tongue),
        last_active: at("2024-11-22T14:07:00Z"),
        goes: at("2026-12-22T14:07:00Z"),
        images: 1,
        last_warning: true,
        sign_in_link: "https://example.org/flux-kontext/sign-in".into(),
    };
    let going = GoingSoon {
        head: head(tongue),
        what: vec!["Records of use".into()],
        goes: at("2028-11-22T14:07:00Z"),
        because: "2 years after it was made".into(),
        unless_back: false,
        last_warning: false,
        take_home_link: "https://example.org/flux-kontext/privacy/ask/access".into(),
    };
    let held = HoldPlaced {
        head: head(tongue),
        what: "Payments and invoices".into(),
        matter: "Case 12 O 44/26".into(),
        reason: "A court ordered us to keep them.".into(),
        review: at("2027-01-22T12:00:00Z"),
    };
    let changed = PolicyChanged {
        head: head(tongue),
        effective: at("2027-01-01T00:00:00Z"),
        changes: vec!["Uploads stay 24 hours at most; now it is 48.".into()],
        asks_again: true,
        policy_link: "https://example.org/flux-kontext/policy/2027-01-01".into(),
    };
    vec![
        ("inactivity-warning", inactive.write().unwrap()),
        ("going-soon", going.write().unwrap()),
        ("hold-placed", held.write().unwrap()),
        ("policy-changed", changed.write().unwrap()),
    ]
}

#[test]
fn every_letter_reads_the_same_in_text_and_in_html() {
    for tongue in Tongue::ALL {
        reads_the_same(tongue);
    }
}

fn reads_the_same(tongue: Tongue) {
    for (name, letter) in all(tongue) {
        assert!(!letter.subject.is_empty() && letter.subject.len() < 90, "{name}: {}", letter.subject);
        assert!(letter.text.contains("privacy@example.org"), "{name}: says where to ask");
        assert!(!letter.text.contains("&#") && !letter.text.contains("<p"), "{name}: markup in text");
        assert!(!letter.text.contains("\n\n\n"), "{name}: holes in the text:\n{}", letter.text);
        for link in letter.text.split_whitespace().filter(|word| word.starts_with("https://")) {
            let in_html = link.replace('&', "&#38;");
            assert!(letter.html.contains(&in_html), "{name}: {link} is not in the HTML");
        }
        assert!(
            !letter.html.contains("<img") && !letter.html.contains("<script"),
            "{name}: something to fetch"
        );
        assert!(letter.html.contains(&format!("<html lang=\"{}\">", tongue.tag())), "{name}");
    }
}

#[test]
fn letters_carry_the_figures_they_promise() {
    let letter = acknowledged(Tongue::English).write().unwrap();
    assert!(letter.text.contains("R-2026-0153"));
    assert!(letter.text.contains("25 November 2026, 14:07 UTC"));
    assert!(letter.text.contains("22 December 2026"));
    let one = &all(Tongue::English)[7].1;
    assert!(one.text.contains("1 picture") && !one.text.contains("1 pictures"), "{}", one.text);
}

#[test]
fn german_letters_are_german_throughout() {
    let letter = acknowledged(Tongue::German).write().unwrap();
    assert_eq!(letter.subject, "Wir haben Ihren Antrag R-2026-0153");
    assert!(letter.text.contains("Eingegangen am: 22. November 2026, 14:07 Uhr UTC"), "{}", letter.text);
    assert!(letter.text.contains("Das Gesetz verlangt sie bis: 22. Dezember 2026"), "{}", letter.text);
    for (name, letter) in all(Tongue::German) {
        for english in [" the ", " your ", "You ", "Questions", "picture"] {
            // What a person, a document or a law said is told as it was said.
            let own = letter.text.replace("Everything we hold about you is in one archive.", "");
            let own = own.replace("You were signed in, so we know it is you.", "");
            let own = own.replace(
                "You can complain to the data protection authority where you live, and you can go to court.",
                "",
            );
            assert!(!own.contains(english), "{name}: {english}:\n{own}");
        }
    }
    let one = &all(Tongue::German)[7].1;
    assert!(one.text.contains("mit 1 Bild.") && one.subject.contains("am 22. Dezember 2026"), "{}", one.text);
}

#[test]
fn what_a_person_typed_cannot_become_markup_or_a_header() {
    let hostile = RequestAcknowledged {
        title: "<script>alert(1)</script>".into(),
        reference: "R-1\r\nBcc: someone@example.org".into(),
        ..acknowledged(Tongue::English)
    };
    let letter = hostile.write().unwrap();
    assert!(!letter.html.contains("<script>"));
    assert!(!letter.subject.contains(['\r', '\n']));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that shows letters to a person is told where by its environment"
)]
fn letters_can_be_looked_at() {
    let Some(folder) = std::env::var("VOUCHSAFE_RENDER_DIR").ok().filter(|folder| !folder.is_empty()) else {
        return;
    };
    let folder = std::path::Path::new(&folder).join("mail");
    std::fs::create_dir_all(&folder).unwrap();
    let every =
        Tongue::ALL.map(|tongue| all(tongue).into_iter().map(move |(name, letter)| (tongue, name, letter)));
    for (tongue, name, letter) in every.into_iter().flatten() {
        let name = format!("{}-{name}", tongue.tag());
        std::fs::write(folder.join(format!("{name}.html")), letter.html).unwrap();
        std::fs::write(
            folder.join(format!("{name}.txt")),
            format!("Subject: {}\n\n{}", letter.subject, letter.text),
        )
        .unwrap();
    }
}
