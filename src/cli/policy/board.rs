use std::process::ExitCode;

use crate::audit::{Board, RuleState, State};
use crate::base::{TenantId, Timestamp};
use crate::cli::place::Place;
use crate::cli::say::Say;
use crate::cli::{Variables, status};
use crate::edge::PromiseBoard;

/// How each promise stands, as the service that runs here last found it.
pub(super) async fn board(
    tenant: Option<TenantId>,
    json: bool,
    place: &Place,
    variables: &Variables,
    say: &mut Say,
) -> anyhow::Result<ExitCode> {
    let app = place.open(variables).await?;
    let mut boards = Vec::new();
    for tenant in tenant.map_or_else(|| app.library.tenants(), |t| vec![t]) {
        boards.push(app.audit.promises(&tenant).await?);
    }
    app.close().await;
    if json {
        let told: Vec<PromiseBoard> = boards.iter().map(PromiseBoard::from).collect();
        say.line(serde_json::to_string_pretty(&told)?);
    } else {
        for board in &boards {
            told(board, say);
        }
    }
    Ok(status(boards.iter().all(Board::is_well)))
}

fn told(board: &Board, say: &mut Say) {
    let checked =
        board.checked.map_or("not checked yet".to_owned(), |at| format!("last check {}", at.in_words()));
    say.title(&format!("{}, version {}, {checked}", board.tenant, board.version));
    let rows: Vec<Vec<String>> = board.rules().into_iter().map(row).collect();
    say.table(&["stands", "rule", "checked", "figure"], &rows);
    let tally: Vec<String> = board.tally().iter().map(|(state, n)| format!("{n} {}", word(*state))).collect();
    say.gap();
    say.note(&format!("{}.", tally.join(", ")));
    say.check(board.is_well(), "nothing is broken and nothing overdue");
    say.gap();
}

fn row(rule: &RuleState) -> Vec<String> {
    let checked = rule.checked.map_or("never".to_owned(), Timestamp::in_words);
    vec![word(rule.state).to_owned(), rule.rule.clone(), checked, rule.figure.clone()]
}

fn word(state: State) -> &'static str {
    match state {
        State::AtRisk => "at risk",
        other => other.as_str(),
    }
}
