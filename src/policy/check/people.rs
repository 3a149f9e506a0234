//! Purposes, access, rights and notices: what people were told must hold.

use super::Checked;
use crate::policy::diagnostic::Sink;
use crate::policy::law;
use crate::policy::model::{Category, Purpose};
use crate::policy::rules::Rule;
use crate::policy::tongue;
use crate::policy::words::{Basis, Occasion, Proof, Right, Role, RuleKind};

/// Whether a category may be used for a purpose: it was collected for it, or a law demands it of everything.
pub(super) fn may_serve(all: &Checked<'_>, category: &Category, purpose: &str) -> bool {
    let obliged = all.typed.purposes.get(purpose).is_none_or(|p| p.basis == Basis::LegalObligation);
    obliged || category.purposes.iter().any(|p| p == purpose)
}

/// Whether every purpose is declared: one that is not has its own error, and nothing can be told of it.
pub(super) fn known(all: &Checked<'_>, purposes: &[String]) -> bool {
    purposes.iter().all(|id| all.rules.get(RuleKind::Purpose, id).is_some())
}

pub(super) fn purposes(all: &Checked<'_>, sink: &mut Sink) {
    for rule in all.rules.of(RuleKind::Purpose) {
        let used = all.rules.list.iter().any(|r| r.fields.texts("purposes").contains(&rule.id));
        if !used && !sink.is_misnamed("purpose", &rule.id) {
            sink.warn("unused", rule.span.clone(), format!("nothing is held for `{}`", rule.name()))
                .help("name it in the `purposes` of a category, or remove it");
        }
        if let Some(purpose) = all.typed.purposes.get(&rule.id) {
            basis(rule, purpose, sink);
            training(rule, purpose, sink);
        }
    }
}

fn basis(rule: &Rule, purpose: &Purpose, sink: &mut Sink) {
    if purpose.basis == Basis::LegitimateInterest && purpose.interest.is_none() {
        sink.error("missing-key", rule.at("basis"), format!("`{}` needs `interest`", rule.name()))
            .help("Art. 13(1)(d) GDPR: people must be told the interest itself");
    }
    if purpose.basis == Basis::LegalObligation && purpose.obligation.is_none() {
        sink.error("missing-key", rule.at("basis"), format!("`{}` needs `obligation`", rule.name()))
            .help("name the law");
    }
    if purpose.needs_consent() && purpose.default_on {
        sink.error(
            "consent-by-default",
            rule.at("default"),
            "a consent that is on before anybody gave it is none",
        )
        .help("write `default = \"off\"`, or leave it out");
    }
    if !purpose.is_choice() && !purpose.default_on {
        sink.error(
            "contradiction",
            rule.at("default"),
            format!("`{}` is off, and nobody could turn it on", rule.name()),
        )
        .help("leave `default` out, or rest it on consent");
    }
    if purpose.basis.objectable() && rule.fields.maybe_flag("may-object") == Some(false) {
        sink.error(
            "contradiction",
            rule.at("may-object"),
            format!("Art. 21 GDPR lets people object to what rests on {}", purpose.basis),
        );
    }
    if purpose.valid_for.is_some() && !purpose.needs_consent() {
        sink.error("contradiction", rule.at("valid-for"), "only a consent has an end");
    }
}

fn training(rule: &Rule, purpose: &Purpose, sink: &mut Sink) {
    if purpose.trains_models && !purpose.explicit {
        sink.error(
            "training-without-consent",
            rule.at("basis"),
            "models may learn only from what people have given explicitly",
        )
        .help("write `basis = \"explicit-consent\"`");
    }
}

pub(super) fn access(all: &Checked<'_>, sink: &mut Sink) {
    for rule in all.rules.of(RuleKind::Access) {
        let Some(access) = all.typed.access_rules.get(&rule.id) else { continue };
        if access.who.contains(&Role::Subject) {
            sink.error(
                "contradiction",
                rule.at("who"),
                "what people may do with their own stands in `subject-may` of the category",
            );
        }
        for category in access.categories.iter().filter_map(|id| all.typed.categories.get(id)) {
            if known(all, &category.purposes)
                && !access.purposes.iter().any(|purpose| may_serve(all, category, purpose))
            {
                let message = format!("`{}` is read for purposes that it was not collected for", category.id);
                sink.error("beyond-purpose", rule.at("purposes"), message).help(format!(
                    "`{}` may be used for {}",
                    category.id,
                    category.purposes.join(", ")
                ));
            }
        }
    }
}

pub(super) fn rights(all: &Checked<'_>, sink: &mut Sink) {
    for rule in all.rules.of(RuleKind::Right) {
        let Some(right) = all.typed.rights.get(&rule.id) else { continue };
        if let Some(pack) = law::pack(&right.law) {
            if !all.front.law.contains(&right.law) {
                sink.error(
                    "contradiction",
                    rule.at("law"),
                    format!("the document does not stand under `{}`", right.law),
                )
                .help("name it in `law` of the front matter as well");
            }
            match &pack.answer {
                None => {
                    sink.error(
                        "contradiction",
                        rule.at("law"),
                        format!("`{}` sets no time for an answer", right.law),
                    );
                }
                Some(answer) if right.answer_within.rough_seconds() > answer.length.rough_seconds() => {
                    let message =
                        format!("{} is longer than the law allows: {}", right.answer_within, answer.length);
                    sink.error("longer-than-law", rule.at("answer-within"), message)
                        .help(answer.source.clone());
                }
                Some(_) => {}
            }
        }
        let light = matches!(right.right, Right::Withdrawal | Right::Objection);
        if right.proof.contains(&Proof::Document) && (light || right.proof.len() == 1) {
            sink.error("identity-document", rule.at("proof"), "an identity document is asked for where less would do")
                .help("use `session` or `email-loop`; a document is a last resort, and never for a withdrawal or an objection");
        }
    }
}

pub(super) fn rights_of_the_law(all: &Checked<'_>, sink: &mut Sink) {
    let given = all.front.law.iter().filter_map(|id| law::pack(id)).flat_map(|pack| &pack.rights);
    let mut missing: Vec<Right> =
        given.copied().filter(|right| all.rules.get(RuleKind::Right, right.as_str()).is_none()).collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return;
    }
    let names: Vec<&str> = missing.iter().map(|right| right.as_str()).collect();
    let message =
        format!("the law gives rights whose use the document does not describe: {}", names.join(", "));
    sink.warn("right-missing", all.front.span("law"), message)
        .help("add a rule for each, such as `[right.erasure]`");
}

/// Numbers in a language that the program does not speak come out in English.
pub(super) fn language(all: &Checked<'_>, sink: &mut Sink) {
    let language = all.front.root.text("language").unwrap_or_default();
    if !tongue::speaks(&language) {
        sink.warn(
            "language",
            all.front.span("language"),
            format!(
                "lengths of time and dates cannot be said in `{language}`: placeholders give them in English"
            ),
        )
        .help("they can be said in en, de, fr, es, it and nl");
    }
}

pub(super) fn notices(all: &Checked<'_>, sink: &mut Sink) {
    for rule in all.rules.of(RuleKind::Notice) {
        let Some(notice) = all.typed.notices.get(&rule.id) else { continue };
        if notice.within.is_some()
            && !matches!(notice.when, Occasion::Breach | Occasion::Erased | Occasion::RequestStep)
        {
            sink.error(
                "contradiction",
                rule.at("within"),
                format!("a notice of `{}` comes before the event, so it has no time after", notice.when),
            )
            .help("use `ahead`");
        }
        if notice.ahead.is_some()
            && matches!(notice.when, Occasion::Breach | Occasion::Erased | Occasion::RequestStep)
        {
            sink.error(
                "contradiction",
                rule.at("ahead"),
                format!("`{}` cannot be told before it happens", notice.when),
            )
            .help("use `within`");
        }
    }
    if !all.typed.notices.iter().any(|notice| notice.when == Occasion::NewVersion) {
        sink.warn(
            "notice-missing",
            all.front.span("version"),
            "nothing says how people learn of a new version",
        )
        .help("add a notice with `when = \"new-version\"`");
    }
    for rule in all.rules.of(RuleKind::Attestation) {
        let Some(attestation) = all.typed.attestations.get(&rule.id) else { continue };
        if attestation
            .remind
            .is_some_and(|remind| remind.rough_seconds() >= attestation.every.rough_seconds())
        {
            sink.error(
                "contradiction",
                rule.at("remind"),
                "the reminder would come before the last one was done",
            );
        }
    }
}
