//! Documents on the command line: checked, compared, turned into papers, and asked about what is held.

mod check;
mod held;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::place::Place;
use super::say::Say;
use super::{Variables, status};
use crate::base::{ObjectId, SubjectId, TenantId};
use crate::policy::{Checkup, Policy, diff, pages, ropa};

/// What to do with policy documents.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Compile documents and show everything that is wrong with them
    Check {
        /// Documents, or folders of them; `-` reads one from the standard input
        #[arg(default_value = "policies")]
        paths: Vec<PathBuf>,
        /// As JSON: an array with path, whether it compiles, and everything found with its place
        #[arg(long)]
        json: bool,
    },
    /// Say what a new version means: what was tightened, what was loosened, whom to tell, whom to ask
    Diff {
        /// The version in force
        old: PathBuf,
        /// The version to be
        new: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the record of processing activities (Art. 30 GDPR), out of the rules
    Ropa {
        /// The document
        document: PathBuf,
        /// How
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print what people must be told (Art. 13 GDPR), out of the rules
    Notice {
        /// The document
        document: PathBuf,
    },
    /// Print the document in short, out of the rules
    Summary {
        /// The document
        document: PathBuf,
    },
    /// Say what goes when, by which rule, of what this installation holds
    Plan {
        /// One tenant only
        #[arg(long)]
        tenant: Option<TenantId>,
        #[command(flatten)]
        place: Place,
    },
    /// Say why a picture is still here, or why it went
    Explain {
        /// The picture
        object: ObjectId,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// Whose it is: shows its clock as well, if it is still here
        #[arg(long)]
        subject: Option<SubjectId>,
        #[command(flatten)]
        place: Place,
    },
}

/// How a record is printed.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// For a spreadsheet
    Csv,
    /// JSON-LD, in the terms of the W3C's Data Privacy Vocabulary
    Json,
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { paths, json } => check::check(&paths, json, say),
        Command::Diff { old, new, json } => difference(&old, &new, json, say),
        Command::Ropa { document, format } => {
            let record = ropa::ropa(&compiled(&document)?);
            match format {
                Format::Text => say.line(record.page().text()),
                Format::Csv => say.text(record.csv()),
                Format::Json => say.line(format!("{:#}", record.json_ld())),
            }
            Ok(status(true))
        }
        Command::Notice { document } => {
            say.line(pages::article_13(&compiled(&document)?).text());
            Ok(status(true))
        }
        Command::Summary { document } => {
            say.line(pages::summary(&compiled(&document)?).text());
            Ok(status(true))
        }
        Command::Plan { tenant, place } => held::plan(tenant, &place, variables, say).await,
        Command::Explain { object, tenant, subject, place } => {
            held::explain(object, &tenant, subject, &place, variables, say).await
        }
    }
}

fn compiled(path: &Path) -> anyhow::Result<Policy> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let Checkup { policy, .. } = Policy::check_bytes(&bytes);
    policy.with_context(|| {
        format!("{} does not compile; `vouchsafe policy check {}` says why", path.display(), path.display())
    })
}

fn difference(old: &Path, new: &Path, json: bool, say: &mut Say) -> anyhow::Result<ExitCode> {
    let found = diff::diff(&compiled(old)?, &compiled(new)?);
    if json {
        say.line(serde_json::to_string_pretty(&found)?);
        return Ok(status(found.conflicts.is_empty()));
    }
    let (from, to) = &found.versions;
    say.title(&format!("{}: {from} to {to}", found.tenant));
    if found.changes.is_empty() && found.conflicts.is_empty() {
        say.note("Nothing changes.");
    }
    for change in &found.changes {
        let direction = match change.direction {
            diff::Direction::Loosened => "loosened",
            diff::Direction::Tightened => "tightened",
            diff::Direction::Changed => "changed",
        };
        let mut says = change.says.clone();
        if change.must_ask {
            says.push_str(" People must be asked again.");
        } else if change.must_tell {
            says.push_str(" People must be told.");
        }
        say.row(&format!("{direction}  {}", change.rule), says);
    }
    for conflict in &found.conflicts {
        say.check(false, conflict);
    }
    Ok(status(found.conflicts.is_empty()))
}
