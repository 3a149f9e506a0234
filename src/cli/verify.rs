use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context as _, bail};

use super::say::{self, Say};
use super::status;
use crate::archive::{self, Flaw, Signature};
use crate::ledger::{LONGEST_RECEIPT, Receipt, Verified, VerifierKey};

/// Pictures that a service could not read are named up to this many.
const GAPS: usize = 20;

/// Check a receipt or an archive, with no network and no installation.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A receipt (JSON) or a take-home archive (ZIP)
    file: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// Keys of witnesses that you trust, for a receipt
    #[arg(long, value_name = "KEY")]
    witness: Vec<VerifierKey>,
    /// How many of those witnesses must have seen the ledger, for the receipt to hold
    #[arg(long, value_name = "K", default_value_t = 0)]
    at_least: usize,
}

/// The key that somebody trusts: from the service's own page, or better from somebody else's.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Trust {
    /// The key that must have signed: `name+id+base64`
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A file that holds it
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_file: Option<PathBuf>,
}

impl Trust {
    /// The key, if one was given.
    pub(super) fn key<K>(&self) -> anyhow::Result<Option<K>>
    where
        K: FromStr,
        K::Err: std::error::Error + Send + Sync + 'static,
    {
        let text = match (&self.key, &self.key_file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => {
                std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(text.trim().parse().context("the key cannot be used")?))
    }

    /// The key, which there must be.
    pub(super) fn wanted(&self) -> anyhow::Result<VerifierKey> {
        let Some(key) = self.key()? else {
            bail!(
                "say which key you trust: --key 'name+id+base64'. The service shows its own on its ledger page, and \
                 `vouchsafe ledger checkpoint` prints it; better still, ask somebody who noted it down before you."
            );
        };
        Ok(key)
    }
}

/// Runs it.
pub(super) fn run(args: &Args, say: &mut Say) -> anyhow::Result<ExitCode> {
    let path = &args.file;
    let mut file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut start = Vec::new();
    (&mut file).take(32).read_to_end(&mut start)?;
    file.rewind()?;
    if start.starts_with(b"PK") {
        return archive(file, &args.trust, say);
    }
    if start.starts_with(b"age-encryption.org/v1") {
        bail!("this archive is encrypted; decrypt it first: age --decrypt -o archive.zip {}", path.display());
    }
    if start.trim_ascii_start().starts_with(b"{") {
        return receipt(path, file, args, say);
    }
    bail!("{} is neither a receipt (JSON) nor a take-home archive (ZIP)", path.display())
}

fn archive(file: File, trust: &Trust, say: &mut Say) -> anyhow::Result<ExitCode> {
    let trusted = trust.key::<archive::VerifyingKey>()?;
    let report = archive::verify(std::io::BufReader::new(file), trusted.as_ref());
    if let ([Flaw::OtherKey { named }], Some(given)) = (report.flaws.as_slice(), &trusted) {
        other_key(named, given, say);
        return Ok(status(false));
    }
    if report.is_whole() {
        say.title("This archive is whole.");
    } else {
        say.title("This archive is not what was handed out.");
    }
    if let Some(made_at) = report.made_at {
        say.row("from", &report.controller);
        say.row("answers request", &report.reference);
        say.row("made", made_at.in_words());
        say.row("files", format!("{}, {} of them pictures", say::number(report.files as u64), report.images));
        if !report.gaps.is_empty() {
            say.row("could not be read there", say::count(report.gaps.len() as u64, "picture", "pictures"));
        }
        say.row("bytes compared", say::number(report.bytes));
    }
    if let Some(hash) = report.manifest_sha256 {
        say.row("SHA-256 of its manifest", hex::encode(hash));
    }
    match &report.signature {
        Some(Signature::Trusted(key)) => say.check(true, &format!("signed by the key that you gave: {key}")),
        Some(Signature::Claimed(key)) => {
            say.check(true, &format!("signed by the key that it names itself: {key}"));
            say.note(
                "You gave no key, so this says that nothing was changed since it was signed, not who signed it. Compare \
                 this key with the one that the service shows on its ledger page and at /ledger/archive-key.",
            );
        }
        None => say.check(false, "its signature"),
    }
    for path in report.gaps.iter().take(GAPS) {
        say.note(&format!("“{path}” stands in the place of a picture that the service could not read."));
    }
    for flaw in &report.flaws {
        say.check(false, &flaw.to_string());
    }
    Ok(status(report.is_whole()))
}

/// An archive that somebody else signed than was thought. Mostly it is the ledger's key that was given.
fn other_key(named: &str, given: &archive::VerifyingKey, say: &mut Say) {
    say.title("This archive is signed by another key than the one that you gave.");
    say.row("signed by", named);
    say.row("you gave", given.to_string());
    say.check(false, "signed by the key that you gave");
    say.note(
        "That does not say that it was altered: whoever has the other key signed it as it is. Archives are signed with a key \
         of their own, which the service shows on its ledger page and at /ledger/archive-key; the key of the ledger is for \
         receipts. If the key that you gave is the archives' key of the service, this archive is not from there: do not \
         believe it.",
    );
}

fn receipt(path: &Path, file: File, args: &Args, say: &mut Say) -> anyhow::Result<ExitCode> {
    let key = args.trust.wanted()?;
    let mut text = String::new();
    file.take(LONGEST_RECEIPT as u64 + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("{} is not text", path.display()))?;
    let receipt = Receipt::parse(&text)?;
    match receipt.verify(&key, &args.witness) {
        Ok(verified) if seen_by(&verified) < args.at_least => {
            say.title("This receipt does not hold.");
            say.check(
                false,
                &format!(
                    "{} of the witnesses you trust saw this ledger, and you ask for {}",
                    seen_by(&verified),
                    args.at_least
                ),
            );
            Ok(status(false))
        }
        Ok(verified) => {
            say.title("This receipt holds.");
            say.prose(&verified.sentence);
            say.gap();
            say.row("ledger", &verified.origin);
            say.row("entry", format!("{} of {}", say::number(verified.index), say::number(verified.size)));
            say.row("written", verified.at.in_words());
            for text in &verified.proved {
                say.check(true, text);
            }
            say.gap();
            say.line("    What it does not prove:");
            for text in &verified.not_proved {
                say.note(&format!("- {text}"));
            }
            Ok(status(true))
        }
        Err(e) => {
            say.title("This receipt does not hold.");
            say.check(false, &e.to_string());
            say.note("Do not believe what it says. Keep it: a receipt that was once handed out and fails is evidence.");
            Ok(status(false))
        }
    }
}

/// How many different witnesses saw it: one that is named twice is one.
fn seen_by(verified: &Verified) -> usize {
    let names: BTreeSet<&str> = verified.witnesses.iter().map(|(name, _)| name.as_str()).collect();
    names.len()
}
