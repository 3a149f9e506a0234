//! What a person had in force when.

use std::process::ExitCode;

use crate::base::{SubjectId, TenantId, Timestamp};
use crate::cli::place::Place;
use crate::cli::say::Say;
use crate::cli::{Variables, status};
use crate::publication::Era;
use crate::vault::Owner;

/// Which version a person had in force when.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The tenant
    #[arg(long)]
    tenant: TenantId,
    /// The person's id
    #[arg(long)]
    subject: SubjectId,
    #[command(flatten)]
    place: Place,
}

/// Shows it: ids, versions and times, and nothing that the person wrote.
pub(super) async fn show(args: Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let app = args.place.open(variables).await?;
    let eras = app.publications.timeline(&Owner::new(&args.tenant, args.subject)).await;
    let now = app.clock.now();
    app.close().await;
    for era in eras? {
        one(&era, now, say);
    }
    Ok(status(true))
}

fn one(era: &Era, now: Timestamp, say: &mut Say) {
    say.title(&format!("version {}", era.version));
    let word = if era.from > now { "will be in force from" } else { "in force from" };
    say.row(word, era.from.in_words());
    say.row("until", era.until.map_or("further notice".to_owned(), Timestamp::in_words));
    let moments = [
        ("in the privacy centre", era.posted_at),
        ("told by e-mail", era.mailed_at),
        ("acknowledged", era.acknowledged_at),
    ];
    for (label, at) in moments {
        if let Some(at) = at {
            say.row(label, at.in_words());
        }
    }
    for (purpose, word) in &era.words {
        say.row(&format!("{} {purpose}", word.state.as_str()), word.at.in_words());
    }
    say.gap();
}
