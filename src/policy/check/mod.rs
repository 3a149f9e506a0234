//! Whether the rules of a document make sense together. Every check reports all it finds; none stops another.

mod data;
mod names;
mod people;
mod phrases;
pub(super) mod prose;

pub(super) use data::EEA;

use super::diagnostic::Sink;
use super::front::Front;
use super::rules::Rules;
use super::typed::Typed;

/// What the checks look at.
pub(super) struct Checked<'a> {
    pub(super) front: &'a Front,
    pub(super) rules: &'a Rules,
    pub(super) typed: &'a Typed,
}

/// Runs every check of the rules.
pub(super) fn rules(all: &Checked<'_>, sink: &mut Sink) {
    names::check(all, sink);
    data::categories(all, sink);
    data::retention(all, sink);
    data::retention_together(all, sink);
    data::processors(all, sink);
    data::filled(all, sink);
    people::purposes(all, sink);
    people::access(all, sink);
    people::rights(all, sink);
    people::rights_of_the_law(all, sink);
    people::notices(all, sink);
    people::language(all, sink);
}
