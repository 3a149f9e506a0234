//! The changes kind by kind.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Action, Category, Change, Direction, Fact, Life, Meaning, Policy, Processor, Purpose, RightRule, RuleKind,
};
use crate::base::Period;
use crate::policy::fill::list;

impl Change {
    fn new(meaning: Meaning, direction: Direction, rule: String, says: String) -> Self {
        let must_tell = direction == Direction::Loosened;
        Self { meaning, direction, rule, categories: BTreeSet::new(), says, must_tell, must_ask: false }
    }

    fn of<'a>(mut self, categories: impl IntoIterator<Item = &'a String>) -> Self {
        self.categories.extend(categories.into_iter().cloned());
        self
    }

    fn tell(mut self) -> Self {
        self.must_tell = true;
        self
    }

    fn ask(mut self, ask: bool) -> Self {
        self.must_ask = ask;
        self.must_tell |= ask;
        self
    }
}

fn more_less(more: &str, less: &str, was: &[String], is: &[String]) -> Option<(Direction, String)> {
    let gained: Vec<String> = is.iter().filter(|x| !was.contains(x)).cloned().collect();
    let lost: Vec<String> = was.iter().filter(|x| !is.contains(x)).cloned().collect();
    let direction = match (gained.is_empty(), lost.is_empty()) {
        (true, true) => return None,
        (false, true) => Direction::Loosened,
        (true, false) => Direction::Tightened,
        (false, false) => Direction::Changed,
    };
    let part = |words: &str, names: Vec<String>| {
        (!names.is_empty()).then(|| format!("{words} {}", list(names.into_iter())))
    };
    Some((
        direction,
        [part(more, gained), part(less, lost)].into_iter().flatten().collect::<Vec<_>>().join(", "),
    ))
}

pub(super) fn categories(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for category in new.categories() {
        let rule = format!("category.{}", category.id);
        match old.category(&category.id) {
            None => {
                let says = format!("we begin to hold {}: {}", category.title, category.holds);
                out.push(
                    Change::new(Meaning::NewCategory, Direction::Loosened, rule, says).of([&category.id]),
                );
            }
            Some(was) => category_changed(was, category, &rule, new, out),
        }
    }
    for category in old.categories().filter(|category| new.category(&category.id).is_none()) {
        let says = format!("we no longer hold {}; what there is must be erased before", category.title);
        let rule = format!("category.{}", category.id);
        out.push(
            Change::new(Meaning::CategoryGone, Direction::Tightened, rule, says).of([&category.id]).tell(),
        );
    }
}

fn category_changed(was: &Category, is: &Category, rule: &str, new: &Policy, out: &mut Vec<Change>) {
    if let Some((direction, says)) =
        more_less("is also used for", "is no longer used for", &was.purposes, &is.purposes)
    {
        let asked =
            |id: &&String| new.purpose(id).is_some_and(Purpose::needs_consent) && !was.purposes.contains(id);
        let ask = is.purposes.iter().any(|id| asked(&id));
        let says = format!("{} {says}", is.title);
        out.push(Change::new(Meaning::NewPurpose, direction, rule.to_owned(), says).of([&is.id]).ask(ask));
    }
    let may = |c: &Category| c.subject_may.iter().map(ToString::to_string).collect::<Vec<_>>();
    // What a person may do is their choice: more of it is better for them.
    if let Some((direction, says)) = more_less("you can no longer", "you can now", &may(is), &may(was)) {
        let says = format!("with {}, {says}", is.title);
        out.push(Change::new(Meaning::RightChanged, direction, rule.to_owned(), says).of([&is.id]));
    }
    let less = |c: &Category| c.minimise.iter().map(ToString::to_string).collect::<Vec<_>>();
    if let Some((direction, says)) = more_less("no longer", "now", &less(is), &less(was)) {
        let says = format!("before {} is stored: {says}", is.title);
        out.push(Change::new(Meaning::NewCategory, direction, rule.to_owned(), says).of([&is.id]));
    }
    if was.holds != is.holds || was.special != is.special || was.fields != is.fields {
        let says = format!("what {} holds is described anew: {}", is.title, is.holds);
        out.push(
            Change::new(Meaning::NewCategory, Direction::Changed, rule.to_owned(), says).of([&is.id]).tell(),
        );
    }
}

pub(super) fn purposes(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for purpose in new.purposes() {
        let rule = format!("purpose.{}", purpose.id);
        let touched = of_purpose(new, &purpose.id);
        match old.purpose(&purpose.id) {
            None => {
                let says = format!(
                    "a new purpose, {}: {} ({})",
                    purpose.title,
                    purpose.means,
                    purpose.basis.in_words()
                );
                out.push(Change::new(Meaning::NewPurpose, Direction::Loosened, rule, says).of(&touched));
            }
            Some(was) => purpose_changed(was, purpose, &rule, &touched, out),
        }
    }
    for purpose in old.purposes().filter(|purpose| new.purpose(&purpose.id).is_none()) {
        let says = format!("{} ends", purpose.title);
        let rule = format!("purpose.{}", purpose.id);
        out.push(
            Change::new(Meaning::PurposeGone, Direction::Tightened, rule, says)
                .of(&of_purpose(old, &purpose.id)),
        );
    }
}

fn of_purpose(policy: &Policy, purpose: &str) -> Vec<String> {
    policy.categories().filter(|c| c.purposes.iter().any(|p| p == purpose)).map(|c| c.id.clone()).collect()
}

/// How much say a person has: 3 explicit yes, 2 yes, 1 a no that counts, 0 none.
fn say(purpose: &Purpose) -> u8 {
    match (purpose.explicit, purpose.needs_consent(), purpose.objectable) {
        (true, ..) => 3,
        (_, true, _) => 2,
        (_, _, true) => 1,
        _ => 0,
    }
}

fn purpose_changed(was: &Purpose, is: &Purpose, rule: &str, touched: &[String], out: &mut Vec<Change>) {
    if was.basis != is.basis {
        let direction = match say(is).cmp(&say(was)) {
            std::cmp::Ordering::Greater => Direction::Tightened,
            std::cmp::Ordering::Equal => Direction::Changed,
            std::cmp::Ordering::Less => Direction::Loosened,
        };
        let says = format!(
            "{} now rests on another basis: {} (before: {})",
            is.title,
            is.basis.in_words(),
            was.basis.in_words()
        );
        out.push(
            Change::new(Meaning::BasisChanged, direction, rule.to_owned(), says)
                .of(touched)
                .tell()
                .ask(is.needs_consent()),
        );
    }
    if was.means != is.means || was.trains_models != is.trains_models {
        let direction =
            if is.trains_models && !was.trains_models { Direction::Loosened } else { Direction::Changed };
        let says = format!("{} is described anew: {}", is.title, is.means);
        // A consent covers what was said when it was given, and nothing else.
        out.push(
            Change::new(Meaning::NewPurpose, direction, rule.to_owned(), says)
                .of(touched)
                .tell()
                .ask(is.needs_consent()),
        );
    }
    if was.default_on != is.default_on && was.basis == is.basis {
        let (direction, state) =
            if is.default_on { (Direction::Loosened, "on") } else { (Direction::Tightened, "off") };
        let says = format!("{} is now {state} until you choose", is.title);
        out.push(Change::new(Meaning::BasisChanged, direction, rule.to_owned(), says).of(touched));
    }
}

pub(super) fn processors(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for is in new.processors() {
        let rule = format!("processor.{}", is.id);
        let Some(was) = old.processor(&is.id) else {
            if is.is_recipient() {
                let says = format!("{} newly receives data: it {}", is.name, is.does);
                let ask = is.purposes.iter().any(|id| new.purpose(id).is_some_and(Purpose::needs_consent));
                out.push(
                    Change::new(Meaning::NewRecipient, Direction::Loosened, rule, says)
                        .of(&is.receives)
                        .ask(ask),
                );
            }
            continue;
        };
        for (direction, says) in processor_changed(was, is) {
            let says = format!("{} {says}", is.name);
            out.push(Change::new(Meaning::RecipientChanged, direction, rule.clone(), says).of(&is.receives));
        }
    }
    for was in old.processors().filter(|was| was.is_recipient() && new.processor(&was.id).is_none()) {
        let says = format!("{} receives no data any more; what it holds must be erased there", was.name);
        let rule = format!("processor.{}", was.id);
        out.push(Change::new(Meaning::RecipientGone, Direction::Tightened, rule, says).of(&was.receives));
    }
}

fn processor_changed(was: &Processor, is: &Processor) -> Vec<(Direction, String)> {
    let mut found: Vec<_> = [
        more_less("also receives", "no longer receives", &was.receives, &is.receives),
        more_less("also works for", "no longer works for", &was.purposes, &is.purposes),
        more_less("also works in", "no longer works in", &was.countries, &is.countries),
    ]
    .into_iter()
    .flatten()
    .collect();
    let words = |life: Life| match life {
        Life::AsOurs => "as long as our own rules say".to_owned(),
        Life::AtMost(period) => format!("at most {period}"),
    };
    if was.longest_life != is.longest_life {
        let length = |life: Life| match life {
            Life::AsOurs => u64::MAX,
            Life::AtMost(period) => period.rough_seconds(),
        };
        let longer = length(is.longest_life) > length(was.longest_life);
        let direction = if longer { Direction::Loosened } else { Direction::Tightened };
        found.push((
            direction,
            format!("keeps data {} (before: {})", words(is.longest_life), words(was.longest_life)),
        ));
    }
    if was.sees != is.sees {
        let readable = is.sees == crate::policy::Sees::Plain;
        let says = if readable { "can now read what it gets" } else { "can no longer read what it gets" };
        found.push((if readable { Direction::Loosened } else { Direction::Tightened }, says.to_owned()));
    }
    if was.transfer != is.transfer || was.role != is.role {
        found.push((Direction::Changed, "works under another legal arrangement".to_owned()));
    }
    found
}

/// The clocks that erase a category: for each fact the shortest length, `None` at once; and the longest that the law keeps.
type Clocks = (BTreeMap<Fact, Option<Period>>, Option<Period>);

fn clocks(policy: &Policy, category: &str) -> Clocks {
    let mut clocks: BTreeMap<Fact, Option<Period>> = BTreeMap::new();
    let mut keep: Option<Period> = None;
    let length = |p: Option<Period>| p.map_or(0, Period::rough_seconds);
    for rule in policy.retention_of(category) {
        let at_once = rule.erase_when.iter().map(|fact| (*fact, None));
        let later = rule.at_most.iter().map(|after| (after.fact, Some(after.period)));
        for (fact, period) in at_once.chain(later).filter(|_| rule.action != Action::Reduce) {
            let slot = clocks.entry(fact).or_insert(period);
            if length(period) < length(*slot) {
                *slot = period;
            }
        }
        let longer = keep.into_iter().chain(rule.keep.map(|keep| keep.period));
        keep = longer.max_by_key(|period| period.rough_seconds());
    }
    (clocks, keep)
}

pub(super) fn retention(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for category in new.categories().filter(|category| old.category(&category.id).is_some()) {
        let (was, kept) = clocks(old, &category.id);
        let (is, keeps) = clocks(new, &category.id);
        let name = new
            .retention_of(&category.id)
            .next()
            .map_or(String::new(), |rule| format!("retention.{}", rule.id));
        let mut push = |direction, says: String| {
            let says = format!("{}: {says}", category.title);
            out.push(Change::new(Meaning::DeadlineMoved, direction, name.clone(), says).of([&category.id]));
        };
        let words = |p: Option<Period>, fact: Fact| match p {
            None => format!("as soon as {}", fact.in_words()),
            Some(period) => format!("{period} after {}", fact.in_words()),
        };
        for fact in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            match (was.get(fact), is.get(fact)) {
                (Some(before), Some(now)) if before != now => {
                    let length = |p: Option<Period>| p.map_or(0, Period::rough_seconds);
                    let longer = length(*now) > length(*before);
                    let direction = if longer { Direction::Loosened } else { Direction::Tightened };
                    push(
                        direction,
                        format!("gone {} (before: {})", words(*now, *fact), words(*before, *fact)),
                    );
                }
                (None, Some(now)) => {
                    push(Direction::Tightened, format!("now also gone {}", words(*now, *fact)))
                }
                (Some(before), None) => {
                    push(Direction::Loosened, format!("no longer gone {}", words(*before, *fact)))
                }
                _ => {}
            }
        }
        if kept != keeps {
            let length = |p: Option<Period>| p.map_or(0, Period::rough_seconds);
            let direction =
                if length(keeps) > length(kept) { Direction::Loosened } else { Direction::Tightened };
            let say = |p: Option<Period>| p.map_or_else(|| "not at all".to_owned(), |p| format!("for {p}"));
            push(direction, format!("kept by law {} (before: {})", say(keeps), say(kept)));
        }
    }
}

/// Every (role, category, purpose) that may read.
fn readers(policy: &Policy) -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::new();
    for access in policy.access_rules() {
        for role in &access.who {
            for category in &access.categories {
                for purpose in &access.purposes {
                    if policy.may_read(category, *role, purpose).is_ok() {
                        all.insert((role.to_string(), category.clone(), purpose.clone()));
                    }
                }
            }
        }
    }
    all
}

pub(super) fn access(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    let (was, is) = (readers(old), readers(new));
    for (readers, direction, says) in [
        (is.difference(&was), Direction::Loosened, "may now read"),
        (was.difference(&is), Direction::Tightened, "may no longer read"),
    ] {
        let mut by_reader: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for (role, category, purpose) in readers {
            by_reader.entry((role, purpose)).or_default().push(category.clone());
        }
        for ((role, purpose), categories) in by_reader {
            let says = format!("{role} {says} {} for {purpose}", list(categories.iter().cloned()));
            out.push(
                Change::new(Meaning::AccessChanged, direction, "access.*".to_owned(), says).of(&categories),
            );
        }
    }
}

pub(super) fn rights(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for is in new.rights() {
        let rule = format!("right.{}", is.right);
        match old.right(is.right) {
            None => out.push(Change::new(
                Meaning::RightChanged,
                Direction::Tightened,
                rule,
                format!("the right of {} is described", is.right),
            )),
            Some(was) => right_changed(was, is, &rule, out),
        }
    }
    for was in old.rights().filter(|was| new.right(was.right).is_none()) {
        let says =
            format!("the right of {} is no longer described; the law gives it all the same", was.right);
        out.push(Change::new(
            Meaning::RightChanged,
            Direction::Loosened,
            format!("right.{}", was.right),
            says,
        ));
    }
}

fn right_changed(was: &RightRule, is: &RightRule, rule: &str, out: &mut Vec<Change>) {
    if was.answer_within != is.answer_within {
        let longer = is.answer_within.rough_seconds() > was.answer_within.rough_seconds();
        let direction = if longer { Direction::Loosened } else { Direction::Tightened };
        let says =
            format!("{} is answered within {} (before: {})", is.right, is.answer_within, was.answer_within);
        out.push(Change::new(Meaning::RightChanged, direction, rule.to_owned(), says));
    }
    if (&was.how, &was.proof, was.counts_as_answered, &was.covers, was.self_service, &was.law)
        != (&is.how, &is.proof, is.counts_as_answered, &is.covers, is.self_service, &is.law)
    {
        let says = format!("{} is used in another way", is.right);
        out.push(Change::new(Meaning::RightChanged, Direction::Changed, rule.to_owned(), says).tell());
    }
}

pub(super) fn proofs(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    let all = |policy: &Policy| -> BTreeMap<String, (String, u64)> {
        let safeguards = policy.safeguards().map(|s| {
            (format!("{}.{}", RuleKind::Safeguard, s.id), (s.promises.clone(), s.every.rough_seconds()))
        });
        let attested = policy.attestations().map(|a| {
            (format!("{}.{}", RuleKind::Attestation, a.id), (a.what.clone(), a.every.rough_seconds()))
        });
        let told = policy.notices().map(|n| {
            let ahead = n
                .within
                .map_or(0, Period::rough_seconds)
                .saturating_sub(n.ahead.map_or(0, Period::rough_seconds));
            (
                format!("{}.{}", RuleKind::Notice, n.id),
                (format!("you are told of {}", n.when.as_str().replace('-', " ")), ahead),
            )
        });
        safeguards.chain(attested).chain(told).collect()
    };
    let (was, is) = (all(old), all(new));
    for (name, (says, every)) in &is {
        let change = match was.get(name) {
            None => Some((Direction::Tightened, format!("a new promise: {says}"))),
            Some((before, _)) if before != says => {
                Some((Direction::Changed, format!("now promised: {says} (before: {before})")))
            }
            Some((_, before)) if before != every => {
                let rarer = every > before;
                Some((
                    if rarer { Direction::Loosened } else { Direction::Tightened },
                    format!("kept at other intervals: {says}"),
                ))
            }
            Some(_) => None,
        };
        out.extend(
            change.map(|(direction, says)| Change::new(Meaning::ProofChanged, direction, name.clone(), says)),
        );
    }
    for (name, (says, _)) in was.iter().filter(|(name, _)| !is.contains_key(*name)) {
        out.push(Change::new(
            Meaning::ProofChanged,
            Direction::Loosened,
            name.clone(),
            format!("no longer promised: {says}"),
        ));
    }
}

pub(super) fn parties(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for (same, what) in [
        (old.controller() == new.controller(), "who answers for your data"),
        (old.contact() == new.contact(), "how to reach us"),
        (old.law() == new.law(), "the law it stands under"),
    ] {
        if !same {
            let says = format!("{what} has changed");
            out.push(
                Change::new(Meaning::PartiesChanged, Direction::Changed, "front matter".to_owned(), says)
                    .tell(),
            );
        }
    }
}

pub(super) fn wording(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for clause in new.clauses() {
        let says = match old.clause(&clause.id) {
            None => format!("a new clause: {}", clause.title),
            Some(was) if (&was.text, &was.title) != (&clause.text, &clause.title) => {
                format!("worded anew: {}", clause.title)
            }
            Some(_) => continue,
        };
        out.push(Change::new(Meaning::Wording, Direction::Changed, format!("#{}", clause.id), says));
    }
    for clause in old.clauses().iter().filter(|clause| new.clause(&clause.id).is_none()) {
        let says = format!("no longer there: {}", clause.title);
        out.push(Change::new(Meaning::Wording, Direction::Changed, format!("#{}", clause.id), says));
    }
}
