//! Safeguards: what the figures of this minute can show of them. A probe that has not run shows nothing.

use super::Figures;
use crate::policy::Safeguard;
use crate::web::view::{MarginNote, State};

pub(super) fn safeguard(rule: &Safeguard, figures: &Figures) -> MarginNote {
    let found = match rule.probe.as_str() {
        "retention-kept" => Some(overdue(figures)),
        "deadlines-kept" => Some(zero(figures.late.len(), "open requests past the promised time")),
        "provider-copies-removed" => {
            let owed: i64 = figures.owed.iter().map(|(_, n)| n).sum();
            Some(zero(usize::try_from(owed).unwrap_or(0), "copies at recipients past their time"))
        }
        "ledger-consistent" => Some(if figures.ledger_stands {
            (State::Kept, "the ledger continues the head it signed last".to_owned())
        } else {
            (State::Broken, "the ledger does not stand by the head it signed last".to_owned())
        }),
        "https-only" if figures.development => {
            Some((State::AtRisk, "development mode: pages travel without TLS".to_owned()))
        }
        _ => None,
    };
    match found {
        Some((state, figure)) => figures.note(state, figure),
        None => MarginNote {
            state: State::Waiting,
            figure: format!("not checked yet: {}", rule.promises),
            checked: None,
            proof: None,
        },
    }
}

fn overdue(figures: &Figures) -> (State, String) {
    let n: i64 = figures.board.iter().map(|row| row.overdue).sum();
    zero(usize::try_from(n).unwrap_or(0), "things held past their time")
}

fn zero(n: usize, what: &str) -> (State, String) {
    (if n == 0 { State::Kept } else { State::Broken }, format!("{n} {what}"))
}
