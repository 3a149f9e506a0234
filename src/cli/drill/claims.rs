use crate::cli::Say;
use crate::cli::say::{count, number};

/// Things said, how often each was looked at, and where one did not hold.
#[derive(Debug, Default)]
pub(super) struct Claims(Vec<Claim>);

#[derive(Debug)]
struct Claim {
    text: &'static str,
    looked: u64,
    faults: Vec<String>,
}

impl Claims {
    /// Every claim of a drill, in the order of its table: one that nobody looks at must not go missing from it.
    pub(super) fn of(texts: &[&'static str]) -> Self {
        Self(texts.iter().map(|text| Claim { text, looked: 0, faults: Vec::new() }).collect())
    }

    /// One look. `what` says at what, for the case that it does not hold.
    pub(super) fn look(&mut self, text: &'static str, holds: bool, what: impl FnOnce() -> String) {
        let at = self.0.iter().position(|c| c.text == text).unwrap_or(self.0.len());
        if at == self.0.len() {
            self.0.push(Claim { text, looked: 0, faults: Vec::new() });
        }
        if let Some(claim) = self.0.get_mut(at) {
            claim.looked += 1;
            if !holds {
                claim.faults.push(what());
            }
        }
    }

    /// Whether each was looked at, and held.
    pub(super) fn hold(&self) -> bool {
        self.0.iter().all(|c| c.looked > 0 && c.faults.is_empty())
    }

    /// The table, and then each fault.
    pub(super) fn show(&self, say: &mut Say) {
        let rows: Vec<Vec<String>> = self
            .0
            .iter()
            .map(|c| {
                let held = match (c.looked, c.faults.is_empty()) {
                    (0, _) => "✗ NOT LOOKED AT",
                    (_, true) => "✓ held",
                    (_, false) => "✗ DOES NOT HOLD",
                };
                vec![c.text.to_owned(), number(c.looked), held.to_owned()]
            })
            .collect();
        say.table(&["claim", "looked at", ""], &rows);
        for claim in self.0.iter().filter(|c| !c.faults.is_empty()) {
            say.gap();
            say.check(false, claim.text);
            for fault in claim.faults.iter().take(5) {
                say.note(fault);
            }
            if claim.faults.len() > 5 {
                say.note(&format!("and {}", count(claim.faults.len() as u64 - 5, "other", "others")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_nobody_looked_at_does_not_hold() {
        let mut claims = Claims::of(&["a", "b"]);
        claims.look("a", true, String::new);
        assert!(!claims.hold());
        claims.look("b", true, String::new);
        assert!(claims.hold());
        claims.look("a", false, || "the third".to_owned());
        assert!(!claims.hold());
    }
}
