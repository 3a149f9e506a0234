use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cli::say::{Say, count};
use crate::cli::status;
use crate::policy::{Checkup, Diagnostic, MAX_BYTES, Policy, report};

/// Every document below a path, in order.
pub(super) fn documents(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|dir| dir.map(|entry| entry.map(|e| e.path())).collect())
        .with_context(|| format!("{} cannot be read", path.display()))?;
    inside.sort();
    for path in inside {
        if path.is_dir() || path.extension().is_some_and(|e| e == "md") {
            documents(&path, found)?;
        }
    }
    Ok(())
}

/// One document and what was found in it, as an editor or a build reads it.
#[derive(serde::Serialize)]
struct Found<'a> {
    /// The document; `-` is the standard input.
    path: String,
    /// Whether it compiles.
    compiles: bool,
    /// Everything found, in the order of the document.
    diagnostics: &'a [Diagnostic],
}

/// More than a document may have is not read: one byte over the limit is enough to refuse it.
fn bytes_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    let most = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(bytes)
}

/// Compiles every document and shows what is wrong; as JSON, an array with one object a document.
pub(super) fn check(paths: &[PathBuf], json: bool, say: &mut Say) -> anyhow::Result<ExitCode> {
    let mut found = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            found.push(path.clone());
        } else {
            documents(path, &mut found)?;
        }
    }
    if found.is_empty() {
        bail!("there are no documents (*.md) there");
    }
    let mut all = Vec::new();
    for path in found {
        let bytes = bytes_of(&path)?;
        let checkup = Policy::check_bytes(&bytes);
        all.push((path, bytes, checkup));
    }
    let well = all.iter().all(|(.., checkup)| checkup.policy.is_some());
    if json {
        let found: Vec<Found<'_>> = all
            .iter()
            .map(|(path, _, checkup)| Found {
                path: path.display().to_string(),
                compiles: checkup.policy.is_some(),
                diagnostics: &checkup.diagnostics,
            })
            .collect();
        say.line(serde_json::to_string_pretty(&found)?);
    } else {
        tell(&all, say);
    }
    Ok(status(well))
}

/// Shows everything found, with its lines of the document.
fn tell(all: &[(PathBuf, Vec<u8>, Checkup)], say: &mut Say) {
    let (mut errors, mut warnings) = (0_u64, 0_u64);
    for (path, bytes, Checkup { policy, diagnostics }) in all {
        errors += diagnostics.iter().filter(|d| d.is_error()).count() as u64;
        warnings += diagnostics.iter().filter(|d| !d.is_error()).count() as u64;
        if !diagnostics.is_empty() {
            let source = String::from_utf8_lossy(bytes);
            say.text(report(&path.display().to_string(), &source, diagnostics, say.has_colour()));
            say.gap();
        }
        match policy {
            Some(policy) => {
                let (clauses, categories) = (policy.clauses().len(), policy.categories().count());
                say.check(
                    true,
                    &format!(
                        "{}: {clauses} clauses, {categories} categories, {} rules on when things go",
                        path.display(),
                        policy.retention_rules().count()
                    ),
                );
            }
            None => say.check(false, &format!("{} does not compile", path.display())),
        }
    }
    say.gap();
    say.line(format!(
        "{}, {}, {}",
        count(all.len() as u64, "document", "documents"),
        count(errors, "error", "errors"),
        count(warnings, "warning", "warnings")
    ));
}
