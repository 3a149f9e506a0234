//! Changes of categories, purposes and recipients.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{Change, Direction, Meaning, Policy};
use crate::policy::fill::list;
use crate::policy::model::{Category, Life, Processor, Purpose};

impl Change {
    pub(super) fn new(meaning: Meaning, direction: Direction, rule: String, says: String) -> Self {
        let must_tell = direction == Direction::Loosened;
        Self { meaning, direction, rule, categories: BTreeSet::new(), says, must_tell, must_ask: false }
    }

    pub(super) fn of<'a>(mut self, categories: impl IntoIterator<Item = &'a String>) -> Self {
        self.categories.extend(categories.into_iter().cloned());
        self
    }

    pub(super) fn tell(mut self) -> Self {
        self.must_tell = true;
        self
    }

    /// Tells people of it, unless it is only better for them.
    pub(super) fn tell_unless_better(mut self) -> Self {
        self.must_tell |= self.direction != Direction::Tightened;
        self
    }

    pub(super) fn ask(mut self, ask: bool) -> Self {
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
    if was.holds != is.holds {
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
            Ordering::Greater => Direction::Tightened,
            Ordering::Equal => Direction::Changed,
            Ordering::Less => Direction::Loosened,
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
        let direction = match (was.trains_models, is.trains_models) {
            (false, true) => Direction::Loosened,
            (true, false) => Direction::Tightened,
            _ => Direction::Changed,
        };
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
        let was = old.processor(&is.id);
        let Some(was) = was.filter(|was| was.is_recipient() || !is.is_recipient()) else {
            if is.is_recipient() {
                let says = format!("{} newly receives data: it {}", is.name, is.does);
                let ask = is.purposes.iter().any(|id| new.purpose(id).is_some_and(Purpose::needs_consent));
                out.push(
                    Change::new(Meaning::NewRecipient, Direction::Loosened, rule, says)
                        .of(&is.receives)
                        .ask(ask),
                );
            } else {
                let says = format!("{} works inside the house; nothing leaves: it {}", is.name, is.does);
                out.push(Change::new(Meaning::RecipientChanged, Direction::Changed, rule, says));
            }
            continue;
        };
        if was.is_recipient() != is.is_recipient() {
            continue;
        }
        for (direction, says) in processor_changed(was, is) {
            let says = format!("{} {says}", is.name);
            out.push(Change::new(Meaning::RecipientChanged, direction, rule.clone(), says).of(&is.receives));
        }
    }
    let received = |id: &str| new.processor(id).is_some_and(Processor::is_recipient);
    for was in old.processors().filter(|was| was.is_recipient() && !received(&was.id)) {
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
        let direction = match length(is.longest_life).cmp(&length(was.longest_life)) {
            Ordering::Greater => Direction::Loosened,
            Ordering::Less => Direction::Tightened,
            Ordering::Equal => Direction::Changed,
        };
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
    found
}
