use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::compiled;
use crate::cli::say::Say;
use crate::cli::status;
use crate::policy::{pages, ropa};
use crate::web::paper;

/// A paper out of a document.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The document
    document: PathBuf,
    #[command(flatten)]
    which: Which,
    /// How
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where to; without it, to the standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Which paper.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The document as people read it, every placeholder filled in
    #[arg(long)]
    page: bool,
    /// What people must be told when data are collected (Art. 13 GDPR), computed from the rules
    #[arg(long)]
    notice: bool,
    /// The document in short, in plain words, computed from the rules
    #[arg(long)]
    summary: bool,
}

/// How a paper is written.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// One self-contained file: no script, nothing loaded from anywhere, ready to print
    #[default]
    Html,
    /// Plain text, fit for an e-mail
    Text,
    /// Markdown
    Md,
}

/// The record of processing activities.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RopaArgs {
    /// The document
    document: PathBuf,
    /// How
    #[arg(long, value_enum, default_value_t)]
    format: RopaFormat,
    /// Where to; without it, to the standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How the record is written.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum RopaFormat {
    /// For people
    #[default]
    Text,
    /// One self-contained file, ready to print
    Html,
    /// For a spreadsheet
    Csv,
    /// JSON-LD, in the terms of the W3C's Data Privacy Vocabulary
    Json,
}

pub(super) fn run(args: &Args, say: &mut Say) -> anyhow::Result<ExitCode> {
    let policy = compiled(&args.document)?;
    let text = if args.which.page {
        match args.format {
            Format::Html => paper::document(&policy)?,
            Format::Text => pages::text(&policy),
            Format::Md => policy.markdown(),
        }
    } else {
        let outline = if args.which.notice { pages::article_13(&policy) } else { pages::summary(&policy) };
        match args.format {
            Format::Html => paper::outline(&policy, &outline)?,
            Format::Text => outline.text(),
            Format::Md => outline.markdown(),
        }
    };
    hand_out(&text, args.out.as_deref(), say)
}

pub(super) fn ropa(args: &RopaArgs, say: &mut Say) -> anyhow::Result<ExitCode> {
    let policy = compiled(&args.document)?;
    let record = ropa::ropa(&policy);
    let text = match args.format {
        RopaFormat::Text => record.page().text(),
        RopaFormat::Html => paper::outline(&policy, &record.page())?,
        RopaFormat::Csv => record.csv(),
        RopaFormat::Json => format!("{:#}\n", record.json_ld()),
    };
    hand_out(&text, args.out.as_deref(), say)
}

fn hand_out(text: &str, out: Option<&Path>, say: &mut Say) -> anyhow::Result<ExitCode> {
    match out {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        None => say.text(text),
    }
    Ok(status(true))
}
