//! What was wrong with a form, said beside the field and in a list above.

/// One mistake in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The `id` of the field, so that the list can lead to it.
    pub field: String,
    /// What to do about it, as a sentence.
    pub says: String,
}

/// The mistakes of one form; empty on the first visit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// What is wrong with this field, if anything.
    pub fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|mistake| mistake.field == field).map(|mistake| mistake.says.as_str())
    }

    /// Whether the form is in order.
    pub fn none(&self) -> bool {
        self.0.is_empty()
    }
}
