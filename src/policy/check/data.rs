//! Categories, retention and recipients: what is held must go, and no rule may undo another.

use super::Checked;
use crate::base::Period;
use crate::policy::diagnostic::Sink;
use crate::policy::filled::{FILLED, Filled};
use crate::policy::law::Statute;
use crate::policy::model::{After, Category, Life, Processor, Retention};
use crate::policy::rules::Rule;
use crate::policy::words::{Action, Basis, Fact, Form, Origin, RecipientRole, RuleKind, Sees, Transfer};

/// The members of the European Economic Area.
pub(in crate::policy) const EEA: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

pub(super) fn categories(all: &Checked<'_>, sink: &mut Sink) {
    for rule in all.rules.of(RuleKind::Category) {
        let governed =
            all.rules.of(RuleKind::Retention).any(|r| r.fields.texts("category").contains(&rule.id));
        if !governed && !sink.is_misnamed("category", &rule.id) {
            sink.error(
                "category-without-retention",
                rule.span.clone(),
                format!("no retention rule says when `{}` goes", rule.id),
            )
            .help(format!(
                "add `[retention.{0}]` with `category = \"{0}\"` and `erase-when`, `at-most` or `keep`",
                rule.id
            ));
        }
        let Some(category) = all.typed.categories.get(&rule.id) else { continue };
        third_party(rule, category, sink);
        if !category.special {
            continue;
        }
        for purpose in category.purposes.iter().filter_map(|id| all.typed.purposes.get(id)) {
            if !matches!(purpose.basis, Basis::ExplicitConsent | Basis::LegalObligation) {
                let message = format!(
                    "`{}` is special under Art. 9, but `{}` rests on {}",
                    rule.id, purpose.id, purpose.basis
                );
                sink.error("contradiction", rule.at("purposes"), message)
                    .help("special categories need explicit consent");
            }
        }
    }
}

fn third_party(rule: &Rule, category: &Category, sink: &mut Sink) {
    if category.source == Origin::ThirdParty && category.from.is_none() {
        sink.error("missing-key", rule.at("source"), format!("`{}` needs `from`", rule.name()))
            .help("Art. 14(2)(f) GDPR: people must be told who gave it. For example: `from = \"your payment provider\"`");
    }
    if category.source != Origin::ThirdParty && category.from.is_some() {
        sink.error("contradiction", rule.at("from"), "`from` goes with `source = \"third-party\"` only")
            .help("remove one of the two");
    }
}

/// One warning for all that the program fills and the document does not name.
pub(super) fn filled(all: &Checked<'_>, sink: &mut Sink) {
    let missing: Vec<&Filled> =
        FILLED.iter().filter(|f| all.rules.get(RuleKind::Category, f.category).is_none()).collect();
    if missing.is_empty() {
        return;
    }
    let names: Vec<&str> = missing.iter().map(|filled| filled.category).collect();
    let first = missing.first().map_or(String::new(), |f| format!("without `{}`, {}", f.category, f.without));
    sink.warn(
        "unfilled",
        all.front.span("tenant"),
        format!("the program fills categories that the document does not declare: {}", names.join(", ")),
    )
    .help(format!("{first}. Declare those whose features this tenant uses: see \"What the program fills\" in the reference"));
}

pub(super) fn retention(all: &Checked<'_>, sink: &mut Sink) {
    for rule in all.rules.of(RuleKind::Retention) {
        let Some(retention) = all.typed.retention_rules.get(&rule.id) else { continue };
        clocks(rule, retention, sink);
        action(rule, retention, sink);
        fields(all, rule, retention, sink);
        if let Some(statute) = retention.statute.as_deref().and_then(|id| all.front.statute(id)) {
            within_law(rule, retention, statute, true, sink);
        }
        for statute in all.front.statutes().filter(|s| Some(&s.id) != retention.statute.as_ref()) {
            if retention.categories.iter().any(|category| statute.applies_to.contains(category)) {
                within_law(rule, retention, statute, false, sink);
            }
        }
    }
}

fn clocks(rule: &Rule, retention: &Retention, sink: &mut Sink) {
    if retention.erase_when.is_empty() && retention.at_most.is_empty() && retention.keep.is_none() {
        sink.error("no-clock", rule.span.clone(), format!("`{}` never fires", rule.name())).help(
            "add `erase-when`, `at-most` or `keep`; for example `at-most = \"30 days after account.closed\"`",
        );
    }
    for after in &retention.at_most {
        if retention.erase_when.contains(&after.fact) {
            let message =
                format!("`erase-when` erases at `{}`, so `at-most` after it can never fire", after.fact);
            sink.error("contradiction", rule.at("at-most"), message).help("keep one of the two");
        }
    }
    let shortest = retention.at_most.iter().map(|after| after.period.rough_seconds()).min();
    for warn in &retention.warn {
        if shortest.is_none_or(|shortest| warn.rough_seconds() >= shortest) {
            sink.error(
                "contradiction",
                rule.at("warn"),
                format!("a warning {warn} ahead would come before the clock starts"),
            )
            .help("a warning is shorter than `at-most`, than each of several; give the longer one a rule of its own");
        }
    }
    if retention.keep.is_some() && retention.under.is_none() && retention.statute.is_none() {
        sink.error("missing-key", rule.at("keep"), "what must be kept needs the law that demands it")
            .help("add `under = \"the law\"`, or `statute` with a period of a law pack");
    }
}

fn action(rule: &Rule, retention: &Retention, sink: &mut Sink) {
    let needs = |sink: &mut Sink, missing: bool, key: &str, why: &str| {
        if missing {
            sink.error("missing-key", rule.at("action"), format!("`{}` needs `{key}`", rule.name()))
                .help(why.to_owned());
        }
    };
    match retention.action {
        Action::Anonymise => {
            let why = "say by which method the link to the person is cut";
            needs(sink, retention.method.is_none(), "method", why);
            let why =
                "name the attestation of who held the outcome against singling out, linking and inferring";
            needs(sink, retention.assessment.is_none(), "assessment", why);
        }
        Action::Reduce => {
            needs(sink, retention.keep_fields.is_empty(), "keep-fields", "name the only fields that stay");
            let bare = retention.under.is_none() && retention.statute.is_none();
            needs(sink, bare, "under", "name the law that demands the fields that stay");
        }
        Action::Erase => {}
    }
    if retention.method.is_some() && retention.action != Action::Anonymise {
        sink.error("contradiction", rule.at("method"), "`method` goes with `action = \"anonymise\"` only");
    }
    if retention.assessment.is_some() && retention.action != Action::Anonymise {
        let message = "`assessment` goes with `action = \"anonymise\"` only";
        sink.error("contradiction", rule.at("assessment"), message);
    }
    if !retention.keep_fields.is_empty() && retention.action != Action::Reduce {
        sink.error(
            "contradiction",
            rule.at("keep-fields"),
            "`keep-fields` goes with `action = \"reduce\"` only",
        );
    }
}

/// Fields can be left away, and a law's books are made of them; a picture is whole or gone.
fn fields(all: &Checked<'_>, rule: &Rule, retention: &Retention, sink: &mut Sink) {
    let kept = retention.keep.map(|_| "keep");
    let reduced = (retention.action == Action::Reduce).then_some("action");
    let Some(key) = kept.or(reduced) else { return };
    for category in retention.categories.iter().filter_map(|id| all.typed.categories.get(id)) {
        if category.form == Form::Object {
            let message = format!("`{}` is held as files, of which no fields can be kept", category.id);
            sink.error("contradiction", rule.at(key), message)
                .help("what a law makes you keep is declared as a category of records");
        }
        if let Some(field) = retention.keep_fields.iter().find(|field| !category.has_field(field)) {
            let message = format!("`{}` has no field `{field}`", category.id);
            sink.error("contradiction", rule.at("keep-fields"), message)
                .help(format!("its fields are {}", category.fields.join(", ")));
        }
    }
}

fn within_law(rule: &Rule, retention: &Retention, statute: &Statute, named: bool, sink: &mut Sink) {
    let longer = |period: Period, bound: Period| period.rough_seconds() > bound.rough_seconds();
    if let (Some(keep), Some(least)) = (retention.keep, statute.at_least)
        && keep.fact == statute.from
        && longer(least, keep.period)
    {
        let message =
            format!("{} is shorter than {least}, which the law demands for {}", keep.period, statute.what);
        sink.error("shorter-than-law", rule.at("keep"), message).help(statute.source.clone());
    }
    if named && retention.keep.is_some_and(|keep| keep.fact != statute.from) {
        let message = format!("the law counts from `{}`", statute.from);
        sink.error("contradiction", rule.at("keep"), message).help(statute.source.clone());
    }
    for after in retention.at_most.iter().filter(|after| after.fact == statute.from) {
        if statute.at_most.is_some_and(|most| longer(after.period, most)) {
            let message = format!("{} is longer than the law allows for {}", after.period, statute.what);
            sink.error("longer-than-law", rule.at("at-most"), message).help(statute.source.clone());
        }
        if statute.at_least.is_some_and(|least| longer(least, after.period)) {
            let message = format!("{} is shorter than the law demands for {}", after.period, statute.what);
            sink.error("shorter-than-law", rule.at("at-most"), message).help(statute.source.clone());
        }
    }
}

/// Two rules of one category that start at one fact must not name two periods, and what must be kept must not go before.
pub(super) fn retention_together(all: &Checked<'_>, sink: &mut Sink) {
    for category in all.rules.of(RuleKind::Category) {
        let governing: Vec<&Retention> =
            all.typed.retention_rules.iter().filter(|r| r.categories.contains(&category.id)).collect();
        for (n, second) in governing.iter().enumerate() {
            for first in governing.iter().take(n) {
                two_rules(all, &category.id, first, second, sink);
            }
            for keep in governing.iter().filter_map(|r| r.keep.map(|keep| (*r, keep))) {
                keep_and_at_most(all, keep, second, sink);
            }
        }
    }
}

fn two_rules(all: &Checked<'_>, category: &str, first: &Retention, second: &Retention, sink: &mut Sink) {
    if first.action != second.action {
        return;
    }
    let clocks = |r: &Retention| -> Vec<(Fact, Option<Period>)> {
        let at_once = r.erase_when.iter().map(|fact| (*fact, None));
        at_once.chain(r.at_most.iter().map(|after| (after.fact, Some(after.period)))).collect()
    };
    for (fact, one) in clocks(first) {
        for (_, two) in clocks(second).into_iter().filter(|(other, two)| *other == fact && *two != one) {
            let (Some(a), Some(b)) = (
                all.rules.get(RuleKind::Retention, &first.id),
                all.rules.get(RuleKind::Retention, &second.id),
            ) else {
                continue;
            };
            let words = |p: Option<Period>| p.map_or_else(|| "at once".to_owned(), |p| p.to_string());
            let label = sink.label(a.span.clone(), format!("{} here", words(one)));
            let message = format!(
                "`{}` and `{}` both count from `{fact}` for `{category}`: {} and {}",
                a.name(),
                b.name(),
                words(one),
                words(two)
            );
            sink.error("contradiction", b.span.clone(), message)
                .also(label)
                .help("keep one of the two periods");
        }
    }
}

fn keep_and_at_most(
    all: &Checked<'_>,
    (keeper, keep): (&Retention, After),
    other: &Retention,
    sink: &mut Sink,
) {
    let Some(rule) = all.rules.get(RuleKind::Retention, &other.id).filter(|_| other.action != Action::Reduce)
    else {
        return;
    };
    for after in other.at_most.iter().filter(|after| after.fact == keep.fact) {
        if after.period.rough_seconds() < keep.period.rough_seconds() {
            let message = format!(
                "it would go after {}, but `retention.{}` must keep it for {}",
                after.period, keeper.id, keep.period
            );
            sink.error("shorter-than-law", rule.at("at-most"), message);
        }
    }
}

pub(super) fn processors(all: &Checked<'_>, sink: &mut Sink) {
    for rule in all.rules.of(RuleKind::Processor) {
        let Some(processor) = all.typed.processors.get(&rule.id) else { continue };
        if processor.is_recipient() {
            recipient(rule, processor, sink);
        } else if let Some(key) = ["countries", "transfer", "hosts"].iter().find(|key| rule.fields.has(key)) {
            let message = format!("`role = \"house\"` says that nothing leaves, but there is `{key}`");
            sink.error("contradiction", rule.at(key), message);
        }
        abroad(all, rule, processor, sink);
        purposes_meet(all, rule, processor, sink);
        outlives(all, rule, processor, sink);
    }
}

fn recipient(rule: &Rule, processor: &Processor, sink: &mut Sink) {
    for key in ["countries", "longest-life", "deletion-proof"] {
        if !rule.fields.has(key) {
            sink.error("missing-key", rule.span.clone(), format!("`{}` needs `{key}`", rule.name())).help(
                "people must be told where their data go, for how long, and how a deletion there is shown",
            );
        }
    }
    if processor.transfer == Some(Transfer::CiphertextOnly) && processor.sees != Sees::Ciphertext {
        sink.error("contradiction", rule.at("transfer"), "`ciphertext-only` needs `sees = \"ciphertext\"`");
    }
}

fn abroad(all: &Checked<'_>, rule: &Rule, processor: &Processor, sink: &mut Sink) {
    let european = all.front.law.iter().any(|law| law == "eu-gdpr" || law == "uk-gdpr");
    let home = all.front.sections.get("controller").and_then(|controller| controller.text("country"));
    let outside =
        processor.countries.iter().find(|c| !EEA.contains(&c.as_str()) && Some(*c) != home.as_ref());
    if let (true, true, None, Some(country)) =
        (european, processor.role != RecipientRole::House, processor.transfer, outside)
    {
        sink.error(
            "missing-key",
            rule.at("countries"),
            format!("`{}` works in {country}, outside the EEA, and needs `transfer`", rule.name()),
        )
        .help(format!("say what makes it lawful: {}", Transfer::NAMES.join(", ")));
    }
}

fn purposes_meet(all: &Checked<'_>, rule: &Rule, processor: &Processor, sink: &mut Sink) {
    for category in processor.receives.iter().filter_map(|id| all.typed.categories.get(id)) {
        if super::people::known(all, &category.purposes)
            && !processor.purposes.iter().any(|purpose| super::people::may_serve(all, category, purpose))
        {
            let message = format!(
                "`{}` is sent to {} for purposes that it was not collected for",
                category.id, processor.name
            );
            sink.error("beyond-purpose", rule.at("receives"), message).help(format!(
                "`{}` may be used for {}",
                category.id,
                category.purposes.join(", ")
            ));
        }
    }
}

fn outlives(all: &Checked<'_>, rule: &Rule, processor: &Processor, sink: &mut Sink) {
    let Life::AtMost(life) = processor.longest_life else { return };
    for retention in all.typed.retention_rules.iter().filter(|r| r.action == Action::Erase) {
        let Some(category) = retention.categories.iter().find(|id| processor.receives.contains(id)) else {
            continue;
        };
        for after in retention
            .at_most
            .iter()
            .filter(|after| matches!(after.fact, Fact::Uploaded | Fact::Created | Fact::EditEnded))
        {
            if life.rough_seconds() > after.period.rough_seconds() {
                let message = format!(
                    "`{category}` may stay at {} for {life}, but `retention.{}` lets it live {} only",
                    processor.name, retention.id, after.period
                );
                sink.error("outlives-rule", rule.at("longest-life"), message)
                    .help("shorten `longest-life`, or lengthen the rule");
            }
        }
    }
}
