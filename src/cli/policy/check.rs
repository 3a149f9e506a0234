use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cli::say::{Say, count};
use crate::cli::status;
use crate::policy::{Checkup, Policy, report};

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

/// Compiles every document and shows what is wrong.
pub(super) fn check(paths: &[PathBuf], say: &mut Say) -> anyhow::Result<ExitCode> {
    let mut found = Vec::new();
    for path in paths {
        documents(path, &mut found)?;
    }
    if found.is_empty() {
        bail!("there are no documents (*.md) there");
    }
    let (mut errors, mut warnings) = (0, 0);
    for path in &found {
        let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let Checkup { policy, diagnostics } = Policy::check_bytes(&bytes);
        errors += diagnostics.iter().filter(|d| d.is_error()).count();
        warnings += diagnostics.iter().filter(|d| !d.is_error()).count();
        if !diagnostics.is_empty() {
            let source = String::from_utf8_lossy(&bytes);
            say.text(report(&path.display().to_string(), &source, &diagnostics, say.has_colour()));
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
    let (documents, errors, warnings) = (found.len() as u64, errors as u64, warnings as u64);
    say.gap();
    say.line(format!(
        "{}, {}, {}",
        count(documents, "document", "documents"),
        count(errors, "error", "errors"),
        count(warnings, "warning", "warnings")
    ));
    Ok(status(errors == 0))
}
