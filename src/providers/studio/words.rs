//! What the studio makes of a prompt: a few dozen words and phrases, how strongly, and what it is asked not to do.

use super::tone::Colour;
use super::vocabulary::{GENERATIVE, PHRASES, STYLES};
use super::{Operation, Step};

/// No prompt needs more; what follows is not read.
const MOST_STEPS: usize = 8;
const MOST_WORDS: usize = 400;

/// The operation of a style.
pub(super) fn style(name: &str) -> Option<Operation> {
    if !STYLES.iter().any(|(known, _)| *known == name) {
        return None;
    }
    read(name).steps.first().map(|step| step.operation)
}

/// What was found.
pub(super) struct Reading {
    pub(super) steps: Vec<Step>,
    /// Whether it asks to add, remove or replace something, which filters cannot.
    pub(super) asks_for_more: bool,
}

/// Reads a prompt. Order and strength are the person's; each operation comes once.
pub(super) fn read(prompt: &str) -> Reading {
    let lower = prompt.to_lowercase().replace('\'', "");
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).take(MOST_WORDS).collect();
    let mut steps: Vec<Step> = Vec::new();
    let mut manner = Manner::default();
    let mut rest = words.as_slice();
    while let Some(word) = rest.first() {
        let (found, used) = match phrase(rest) {
            Some((operation, used)) => (Some(operation), used),
            None => (tint(&words, words.len() - rest.len()), 1),
        };
        match found.map(|operation| manner.step(operation)) {
            Some(Some(step)) if !steps.iter().any(|s| s.operation == step.operation) => steps.push(step),
            Some(_) => {}
            None => manner.hear(word),
        }
        if found.is_some() {
            manner = Manner { refused: manner.refused && rest.get(used) == Some(&"or"), ..Manner::default() };
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    steps.truncate(MOST_STEPS);
    Reading { steps, asks_for_more: words.iter().any(|w| GENERATIVE.contains(w)) }
}

/// What was said before the operation's own word.
#[derive(Clone, Copy)]
struct Manner {
    amount: f32,
    /// "less", "too": the opposite is meant.
    opposite: bool,
    /// "not", "without".
    refused: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { amount: 1.0, opposite: false, refused: false }
    }
}

impl Manner {
    fn hear(&mut self, word: &str) {
        match word {
            "bit" | "little" | "slightly" | "subtle" | "subtly" | "gently" | "gentle" | "hint" | "touch"
            | "somewhat" | "lightly" => self.amount = 0.5,
            "very" | "much" | "really" | "strongly" | "strong" | "extremely" | "super" | "heavily"
            | "heavy" | "lot" | "intense" | "extra" => self.amount = 1.6,
            "less" | "lower" | "reduce" | "decrease" | "too" => self.opposite = true,
            "not" | "no" | "dont" | "without" | "never" | "avoid" => self.refused = true,
            "but" | "instead" | "then" | "just" => *self = Self::default(),
            _ => {}
        }
    }

    fn step(self, operation: Operation) -> Option<Step> {
        if self.refused {
            return None;
        }
        let operation = if self.opposite { opposite(operation)? } else { operation };
        Some(Step { operation, amount: self.amount })
    }
}

fn opposite(operation: Operation) -> Option<Operation> {
    const PAIRS: [(Operation, Operation); 6] = [
        (Operation::Brighten, Operation::Darken),
        (Operation::Warm, Operation::Cool),
        (Operation::Contrast, Operation::Flatten),
        (Operation::Saturate, Operation::Mute),
        (Operation::Sharpen, Operation::Blur),
        (Operation::Enlarge, Operation::Shrink),
    ];
    PAIRS.iter().find_map(|(a, b)| match operation {
        o if o == *a => Some(*b),
        o if o == *b => Some(*a),
        _ => None,
    })
}

/// The operation that the words begin with, and how many words that took. Longer phrases come first.
fn phrase(words: &[&str]) -> Option<(Operation, usize)> {
    PHRASES.iter().find_map(|(phrase, operation)| {
        let wanted = phrase.split(' ');
        let length = wanted.clone().count();
        let begins = words.len() >= length && wanted.zip(words).all(|(a, b)| a == *b);
        begins.then_some((*operation, length))
    })
}

/// A colour counts as a tint only beside a word that says so: "a blue car" is not a wish for a blue picture.
fn tint(words: &[&str], at: usize) -> Option<Operation> {
    const AFTER: [&str; 9] = ["tint", "tinted", "tone", "toned", "tones", "wash", "hue", "filter", "cast"];
    const BEFORE: [&str; 5] = ["it", "everything", "all", "in", "tint"];
    let colour = words.get(at).and_then(|word| Colour::parse(word))?;
    let after = words.get(at + 1).is_some_and(|w| AFTER.contains(w));
    let before = at.checked_sub(1).and_then(|i| words.get(i)).is_some_and(|w| BEFORE.contains(w));
    let last_or_joined = words.get(at + 1).is_none_or(|w| ["and", "with", "but"].contains(w));
    (after || (before && last_or_joined)).then_some(Operation::Tint(colour))
}
