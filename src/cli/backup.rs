use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::place::Place;
use super::say::{self, Say};
use super::{Variables, status};
use crate::archive::EncryptTo;
use crate::backup::{self, Order, What};
use crate::base::Secret;

/// Take a backup of this installation, beside the service that runs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The new file
    file: PathBuf,
    /// The keystore instead of the data: into a file of its own, under the epoch, so that it is dead in two weeks at most
    #[arg(long)]
    keystore: bool,
    /// Encrypt it to this age recipient
    #[arg(long, value_name = "age1…", conflicts_with_all = ["keystore", "passphrase_file"])]
    to: Option<String>,
    /// Encrypt it under the passphrase in this file
    #[arg(long, value_name = "FILE", conflicts_with = "keystore")]
    passphrase_file: Option<PathBuf>,
    /// Leave the bytes of images out: somebody else copies them
    #[arg(long, conflicts_with = "keystore")]
    no_blobs: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs it.
pub(super) async fn run(args: Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let to = match (&args.to, &args.passphrase_file) {
        (Some(key), _) => Some(key.parse()?),
        (None, Some(path)) => Some(EncryptTo::passphrase(passphrase(path)?)?),
        (None, None) => None,
    };
    let what = if args.keystore { What::Keystore } else { What::Data };
    let sealed = to.is_some();
    let app = args.place.open(variables).await?;
    let taken = backup::take(&app, Order { what, to, without_blobs: args.no_blobs }, &args.file).await;
    app.close().await;
    let taken = taken?;
    say.title(match what {
        What::Data => "A backup of the data.",
        What::Keystore => "A backup of the keystore.",
    });
    say.row("file", args.file.display().to_string());
    say.row("holds", format!("{}, {}", say::count(taken.members, "file", "files"), say::size(taken.bytes)));
    say.row("ledger entries", say::number(taken.entries));
    say.row("sha-256 of what it holds", hex::encode(taken.sha256));
    match what {
        What::Data => {
            let how = if sealed { "It is encrypted as you asked. In it are" } else { "It is not encrypted again. In it are" };
            say.note(&format!(
                "{how} the main database and {}: personal data as ciphertext, and no key to it. Not in it: the keystore \
                 (--keystore, another file, another place), the epochs (in no backup, ever), the published ledger (copy \
                 it away all the time: a restore needs the newest), the keys of the safe.",
                if args.no_blobs { "no bytes of images" } else { "the bytes of images" }
            ));
        }
        What::Keystore => say.note(
            "It opens while the epoch of now is alive: for a week at least, two at most. Then nothing opens it, and that is \
             how the erased leave it. Keep it apart from the data; what is stored after this moment has no key in it.",
        ),
    }
    Ok(status(true))
}

/// A passphrase out of its file: one line.
pub(super) fn passphrase(path: &Path) -> anyhow::Result<Secret<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let text = Secret::new(text);
    let line = text.expose().trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.contains('\n') {
        bail!("{} has to hold one line, the passphrase", path.display());
    }
    Ok(Secret::new(line.to_owned()))
}
