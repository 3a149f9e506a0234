use std::process::ExitCode;

use super::say::Say;
use super::status;

/// Prints the document.
pub(super) fn run(say: &mut Say) -> anyhow::Result<ExitCode> {
    let document = serde_json::to_value(crate::http::openapi())?;
    say.line(format!("{document:#}"));
    Ok(status(true))
}
