use std::path::PathBuf;
use std::process::ExitCode;

use super::place::Place;
use super::say::{Say, count};
use super::{Variables, api_key, status};
use crate::base::TenantId;

/// What to collect, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The tenant whose people are asked
    #[arg(long)]
    tenant: TenantId,
    /// The purpose, where the document has more than one for which models learn
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// The folder to write; it must be empty, or not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Runs it.
pub(super) async fn run(args: Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let app = args.place.open(variables).await?;
    api_key::known(&app, &args.tenant)?;
    let made = app.training.export(&args.tenant, args.purpose.as_deref(), &args.out).await;
    let sequenced = app.ledger.sequence().await;
    app.close().await;
    let made = made?;
    sequenced?;
    let manifest = &made.manifest;
    let (images, records) = manifest.people.iter().fold((0, 0), |(i, r), m| (i + m.images, r + m.records));
    say.title("A collection of what people who agree to it now have given.");
    say.row("folder", args.out.display().to_string());
    say.row("purpose", format!("{}, under version {}", manifest.purpose, manifest.policy_version));
    say.row("of", count(manifest.people.len() as u64, "person", "people"));
    let words = count(records, "record without a picture", "records without a picture");
    say.row("holds", format!("{}, {words}", count(images, "picture", "pictures")));
    say.row("manifest", hex::encode(made.sha256));
    say.row("ledger", made.entry.to_string());
    if made.unreadable > 0 {
        say.warning(&format!(
            "{} could not be read and was left out",
            count(made.unreadable, "picture", "pictures")
        ));
    }
    if !manifest.left.is_empty() {
        let left = count(manifest.left.len() as u64, "person has", "people have");
        say.warning(&format!(
            "{left} left since an earlier collection. The manifest names them: drop what is theirs from every copy, and from \
             what is trained next"
        ));
    }
    Ok(status(true))
}
