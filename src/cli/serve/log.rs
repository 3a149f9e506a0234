//! Where the log goes. What may stand in it is written in `docs/LOGGING.md`.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::audit::LogWatch;
use crate::cli::Variables;

/// The variable that chooses what is logged, as directives: `info,vouchsafe::jobs=debug`.
const VARIABLE: &str = "VOUCHSAFE_LOG";
const USUAL: &str = "info,sqlx=warn,tokio_cron_scheduler=warn";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// For people
    Text,
    /// For programs
    Json,
}

impl Form {
    /// Text where a person looks on, JSON where a program does.
    pub(super) fn fit(development: bool) -> Self {
        if development { Self::Text } else { Self::Json }
    }
}

/// Begins to log to the standard error, past a watch that looks at each line on its way.
pub(super) fn begin(form: Form, variables: &Variables) -> anyhow::Result<LogWatch> {
    let directives = variables.get(VARIABLE).map_or(USUAL, String::as_str);
    let filter =
        EnvFilter::try_new(directives).with_context(|| format!("{VARIABLE} is not a list of directives"))?;
    let colour = std::io::stderr().is_terminal() && !variables.contains_key("NO_COLOR");
    let watch = LogWatch::new();
    let watched = watch.clone();
    let writer = move || watched.tee(std::io::stderr());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(colour);
    let begun = match form {
        Form::Text => log.compact().try_init(),
        Form::Json => log.json().try_init(),
    };
    // Where a test began one before, that one is kept.
    drop(begun);
    Ok(watch)
}
