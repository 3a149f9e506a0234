use std::future::Future;

use crate::cli::Say;
use crate::cli::say::count;

/// What a step found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    rows: Vec<(String, String)>,
    claims: Vec<(bool, String)>,
    notes: Vec<String>,
    short: String,
}

impl Outcome {
    /// A step's outcome; `short` is what the table at the end says was proved.
    pub(super) fn new(short: impl Into<String>) -> Self {
        Self { short: short.into(), ..Self::default() }
    }

    /// A figure.
    pub(super) fn row(&mut self, label: impl Into<String>, value: impl Into<String>) {
        self.rows.push((label.into(), value.into()));
    }

    /// Something that was looked at.
    pub(super) fn claim(&mut self, holds: bool, claim: impl Into<String>) {
        self.claims.push((holds, claim.into()));
    }

    /// Something to know.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// What the table at the end says.
    pub(super) fn short(&mut self, text: impl Into<String>) {
        self.short = text.into();
    }

    /// Ends the step with what the next one needs.
    pub(super) fn with<T>(self, value: T) -> (T, Self) {
        (value, self)
    }
}

/// The story was cut short: a step could not be done, and what follows needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CutShort;

struct Told {
    title: &'static str,
    held: bool,
    claims: usize,
    short: String,
}

/// Tells steps one by one, and remembers how each came out.
pub(super) struct Telling<'s> {
    say: &'s mut Say,
    told: Vec<Told>,
}

impl<'s> Telling<'s> {
    pub(super) fn new(say: &'s mut Say) -> Self {
        Self { say, told: Vec::new() }
    }

    /// Tells a step. A claim that does not hold is remembered, and the story goes on; an error ends it.
    pub(super) fn step<T>(
        &mut self,
        title: &'static str,
        step: impl Future<Output = anyhow::Result<(T, Outcome)>>,
    ) -> impl Future<Output = Result<T, CutShort>> {
        self.say.gap();
        self.say.title(&format!("{:>2}  {title}", self.told.len() + 1));
        // Boxed before the story waits for it: the story's own future need not have room for the largest step.
        let step = Box::pin(step);
        async move {
            match step.await {
                Ok((value, outcome)) => {
                    self.told.push(show(self.say, title, outcome));
                    Ok(value)
                }
                Err(e) => {
                    self.say.check(false, "the step could not be done");
                    self.say.error(&e);
                    let short = "could not be done".to_owned();
                    self.told.push(Told { title, held: false, claims: 0, short });
                    Err(CutShort)
                }
            }
        }
    }

    /// The table at the end. Whether every step held, and the story came to its end.
    pub(super) fn close(self, to_the_end: bool) -> bool {
        let Self { say, told } = self;
        say.gap();
        say.title("What was proved");
        let rows: Vec<_> = told
            .iter()
            .enumerate()
            .map(|(n, t)| {
                let held = if t.held { "✓ held" } else { "✗ DOES NOT HOLD" };
                vec![format!("{:>2}", n + 1), t.title.to_owned(), held.to_owned(), t.short.clone()]
            })
            .collect();
        say.table(&["", "step", "", "proved"], &rows);
        say.gap();
        let held = to_the_end && told.iter().all(|t| t.held);
        let claims: usize = told.iter().map(|t| t.claims).sum();
        if held {
            let (steps, claims) =
                (count(told.len() as u64, "step", "steps"), count(claims as u64, "thing", "things"));
            say.title(&format!("Every step held: {steps}, {claims} looked at."));
        } else if to_the_end {
            say.title("Not every step held.");
        } else {
            say.title("The story was cut short: a step could not be done.");
        }
        held
    }
}

fn show(say: &mut Say, title: &'static str, outcome: Outcome) -> Told {
    let Outcome { rows, claims, notes, short } = outcome;
    for (label, value) in rows {
        say.row(&label, value);
    }
    for (holds, claim) in &claims {
        say.check(*holds, claim);
    }
    for note in notes {
        say.note(&note);
    }
    // A step that looked at nothing proves nothing.
    let held = !claims.is_empty() && claims.iter().all(|(holds, _)| *holds);
    Told { title, held, claims: claims.len(), short }
}
