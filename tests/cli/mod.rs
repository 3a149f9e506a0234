//! The command line, called as a shell would, in this process.

mod agents;
mod backup;
mod commands;
mod demo;
mod drill;
mod keys;
mod killed;
mod letters;
mod policy;
mod publish;
mod serve;
mod tutorial;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use vouchsafe::cli::{Cli, Say, run};

/// What was said.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Calls the program with these arguments. Whether its status was 0, and what it said; an error is what it said.
async fn call(arguments: &[&str]) -> (bool, String) {
    let heard = Heard::default();
    let mut say = Say::to(heard.clone());
    let cli = Cli::try_parse_from([&["vouchsafe"], arguments].concat()).unwrap();
    match Box::pin(run(cli, &BTreeMap::new(), &mut say)).await {
        Ok(code) => (code == ExitCode::SUCCESS, heard.text()),
        Err(e) => (false, format!("{}{e:#}", heard.text())),
    }
}
