//! Pages for people, computed from the document: the notice of Art. 13 GDPR, and the plain summary.

use super::fill::list;
use super::outline::Outline;
use super::ropa::{life, time_limits};
use super::{Basis, Policy, RightRule, SubjectMay};

/// The notice of Art. 13 GDPR: everything that must be told when data are collected, in its order, from the rules.
pub fn article_13(policy: &Policy) -> Outline {
    let mut page = Outline::new(format!("What we must tell you: {}", policy.title()));
    who(policy, &mut page);
    why(policy, &mut page);
    where_to(policy, &mut page);
    how_long(policy, &mut page);
    rights(policy, &mut page);
    must_you(policy, &mut page);
    page
}

fn who(policy: &Policy, page: &mut Outline) {
    let (controller, contact) = (policy.controller(), policy.contact());
    let parts = [&controller.address, &controller.country, &controller.website];
    let place: String = parts.into_iter().flatten().map(|part| format!(", {part}")).collect();
    page.heading("Who is responsible")
        .say(format!("{}{place}. Write to {}.", controller.name, contact.privacy));
    if let Some(phone) = &contact.phone {
        page.say(format!("Telephone: {phone}."));
    }
    if let Some((who, arrangement)) = &contact.joint {
        page.say(format!("Together with {who}. {arrangement}"));
    }
    for (place, who) in &contact.representatives {
        page.say(format!("Representative in the {place}: {who}."));
    }
    match &contact.officer {
        Some((name, email)) => {
            let more: String = contact.officer_details.iter().map(|detail| format!(", {detail}")).collect();
            page.say(format!("Data protection officer: {name}, {email}{more}."))
        }
        None => page.say("No data protection officer is named.".to_owned()),
    };
    let gaps = gaps(policy);
    if !gaps.is_empty() {
        page.say(
            "The document does not say what follows; it must be added where the law asks for it:".to_owned(),
        );
        page.list(gaps.into_iter().map(|(article, what)| format!("{what} (Art. {article} GDPR)")).collect());
    }
}

/// What Art. 13 asks for and the document does not say, each with its place in the law. Nothing is made up in its stead.
pub fn gaps(policy: &Policy) -> Vec<(&'static str, String)> {
    let (controller, contact) = (policy.controller(), policy.contact());
    let mut all = Vec::new();
    if controller.address.is_none() {
        all.push(("13(1)(a)", "the postal address of the controller".to_owned()));
    }
    match controller.country.as_deref() {
        None => all.push((
            "13(1)(a)",
            "the country of the controller, and its representative in the Union if it is outside".to_owned(),
        )),
        Some(country) if contact.representatives.is_empty() && !super::check::EEA.contains(&country) => {
            all.push(("13(1)(a)", "the controller's representative in the Union".to_owned()));
        }
        Some(_) => {}
    }
    if contact.officer.is_none() {
        all.push(("13(1)(b)", "the data protection officer, if there must be one".to_owned()));
    }
    if contact.authority.is_none() {
        all.push(("13(2)(d)", "the name of the supervisory authority".to_owned()));
    }
    for processor in policy.processors().filter(|p| p.is_recipient() && p.agreement.is_none()) {
        if processor.transfer.is_some() {
            let what = format!("how to get a copy of the safeguards for {}", processor.name);
            all.push(("13(1)(f)", what));
        }
    }
    all
}

fn why(policy: &Policy, page: &mut Outline) {
    let rows = policy.purposes().map(|purpose| {
        let reason = purpose.interest.as_ref().or(purpose.obligation.as_ref());
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        let what = policy.categories().filter(|c| c.purposes.contains(&purpose.id)).map(|c| c.title.clone());
        let basis = format!("{}{reason} ({})", purpose.basis.in_words(), purpose.basis.article());
        vec![purpose.title.clone(), purpose.means.clone(), list(what), basis]
    });
    page.heading("What for, and on what basis");
    let interests = policy.purposes().filter_map(|p| Some(format!("{}: {}", p.title, p.interest.as_ref()?)));
    let interests: Vec<String> = interests.collect();
    page.table(&["Purpose", "What we do", "With", "Basis"], rows.collect());
    if !interests.is_empty() {
        page.say("Where a use rests on our legitimate interest, the interest is this:".to_owned())
            .list(interests);
    }
}

fn where_to(policy: &Policy, page: &mut Outline) {
    let recipients: Vec<Vec<String>> = policy
        .processors()
        .filter(|p| p.is_recipient())
        .map(|p| {
            let what = p.receives.iter().filter_map(|id| policy.category(id)).map(|c| c.title.clone());
            let transfer = p
                .transfer
                .map_or(String::new(), |transfer| format!(", under {}", transfer.as_str().replace('-', " ")));
            vec![
                p.name.clone(),
                p.does.clone(),
                list(what),
                format!("{}{transfer}", p.countries.join(", ")),
                life(p.longest_life),
            ]
        })
        .collect();
    page.heading("Who receives it");
    if recipients.is_empty() {
        page.say("Nobody outside.".to_owned());
    } else {
        page.table(&["Recipient", "What it does", "Gets", "Where", "Keeps it"], recipients);
    }
}

fn how_long(policy: &Policy, page: &mut Outline) {
    let rows = policy
        .categories()
        .map(|c| vec![c.title.clone(), c.holds.clone(), source(c), time_limits(policy, &c.id)]);
    page.heading("What we hold, and when it goes")
        .table(&["Data", "Holds", "Source", "Goes"], rows.collect());
}

fn source(category: &super::Category) -> String {
    category
        .from
        .as_ref()
        .map_or_else(|| category.source.to_string(), |from| format!("{}: {from}", category.source))
}

fn rights(policy: &Policy, page: &mut Outline) {
    let say = |right: &RightRule| {
        let how = list(right.how.iter().map(|channel| channel.as_str().to_owned()));
        format!(
            "{} ({}): by {how}, answered within {}",
            capital(right.right.as_str()),
            article(right),
            right.answer_within
        )
    };
    page.heading("Your rights").list(policy.rights().map(say).collect());
    let consents: Vec<String> =
        policy.purposes().filter(|p| p.needs_consent()).map(|p| p.title.clone()).collect();
    if !consents.is_empty() {
        page.say(format!(
            "You can take back your consent to {} at any time, as easily as you gave it. What was done before stays lawful.",
            list(consents.into_iter())
        ));
    }
    let authority = policy.contact().authority.as_ref().map_or_else(
        || "a data protection authority, such as that of the place where you live".to_owned(),
        |(name, site)| site.as_ref().map_or_else(|| name.clone(), |site| format!("{name}, {site}")),
    );
    page.say(format!("You can complain to {authority}."));
}

fn must_you(policy: &Policy, page: &mut Outline) {
    let needed: Vec<String> = policy.categories().filter(|c| c.required).map(|c| c.title.clone()).collect();
    page.heading("Must you give it?");
    if needed.is_empty() {
        page.say("No. Nothing here is demanded by law or contract.".to_owned());
    } else {
        page.say(format!(
            "Without {} we cannot give you the service. All else is up to you.",
            list(needed.into_iter())
        ));
    }
    page.heading("Decisions by a machine alone");
    let decisions: Vec<String> = policy
        .purposes()
        .filter_map(|p| p.decides.as_ref().map(|what| format!("{}: {what}", p.title)))
        .collect();
    if decisions.is_empty() {
        page.say(
            "The document declares no decision with legal or similar effect that a machine makes about you alone, and no \
             profiling for one."
                .to_owned(),
        );
    } else {
        page.list(decisions);
    }
}

fn article(right: &RightRule) -> &'static str {
    use super::Right;
    match right.right {
        Right::Access => "Art. 15",
        Right::Rectification => "Art. 16",
        Right::Erasure => "Art. 17",
        Right::Restriction => "Art. 18",
        Right::Portability => "Art. 20",
        Right::Objection => "Art. 21",
        Right::Withdrawal => "Art. 7(3)",
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The document as plain text, fit for an e-mail.
pub fn text(policy: &Policy) -> String {
    let mut out = format!(
        "{}\nVersion {}, in force from {}\n",
        policy.title(),
        policy.version(),
        policy.effective().format("%-d %B %Y")
    );
    for clause in policy.clauses() {
        if !clause.title.is_empty() && clause.title != policy.title() {
            out.push_str(&format!("\n{}\n", clause.title.to_uppercase()));
        }
        if !clause.text.is_empty() {
            out.push_str(&format!("\n{}\n", clause.text));
        }
    }
    out
}

/// The document on half a page, in plain words, from the rules.
pub fn summary(policy: &Policy) -> Outline {
    let mut page = Outline::new(format!("In short: {}", policy.title()));
    let kept = policy.categories().map(|c| {
        let own =
            if c.subject_may(SubjectMay::Delete) { "; you can delete it yourself at any time" } else { "" };
        format!("{}: {}{own}.", c.title, time_limits(policy, &c.id))
    });
    page.heading("What we hold, and when it goes").list(kept.collect());
    let recipients = policy.processors().filter(|p| p.is_recipient()).map(|p| {
        let sealed =
            if p.sees == super::Sees::Ciphertext { ", sealed, so that it cannot read it" } else { "" };
        let what = p.receives.iter().filter_map(|id| policy.category(id)).map(|c| c.title.to_lowercase());
        format!(
            "{} {}. It gets {}{sealed}, and keeps it {}.",
            p.name,
            p.does,
            list(what),
            life(p.longest_life)
        )
    });
    page.heading("Who else gets it").list(recipients.collect());
    let choices = policy.purposes().filter(|p| p.is_choice()).map(|p| {
        let state = match (p.basis, p.default_on) {
            (Basis::Consent | Basis::ExplicitConsent, _) => "off until you turn it on",
            (_, true) => "on until you turn it off",
            (_, false) => "off",
        };
        format!("{}: {state}. {}", p.title, p.means)
    });
    page.heading("What you can choose").list(choices.collect());
    if let Some(slowest) = policy.rights().max_by_key(|right| right.answer_within.rough_seconds()) {
        page.heading("What you can ask");
        let rights = list(policy.rights().map(|right| right.right.to_string()));
        page.say(format!(
            "{}. Write to {}; you have an answer within {}.",
            capital(&rights),
            policy.contact().privacy,
            slowest.answer_within
        ));
    }
    page
}
