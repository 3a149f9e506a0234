//! The program: reads its arguments and its environment, once, and hands them to the command line.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Parser as _;
use vouchsafe::cli::{Cli, Say, close_up};

#[tokio::main]
async fn main() -> ExitCode {
    close_up();
    let cli = Cli::parse();
    let text = |os: std::ffi::OsString| os.into_string().ok();
    let variables: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect();
    let mut say = Say::stdout(&variables);
    match Box::pin(vouchsafe::cli::run(cli, &variables, &mut say)).await {
        Ok(code) => code,
        Err(e) => {
            Say::stderr(&variables).error(&e);
            ExitCode::from(2)
        }
    }
}
