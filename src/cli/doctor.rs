use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use super::place::Place;
use super::say::{self, Say};
use super::{Variables, process, seals, status};
use crate::app::App;
use crate::audit::{State, Verdict, Vouching};
use crate::base::TenantId;
use crate::blobs::{Finding, Level};
use crate::intake::NameServer;
use crate::recipients::{Stripe, Supabase};

/// Look whether this installation can keep its promises.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
}

/// Those whose protocols are spoken here.
const KNOWN: [&str; 2] = [Stripe::NAME, Supabase::NAME];

/// What was found: nothing wrong so far?
struct Found<'s> {
    say: &'s mut Say,
    well: bool,
}

impl Found<'_> {
    fn check(&mut self, holds: bool, claim: &str) {
        self.well &= holds;
        self.say.check(holds, claim);
    }

    /// A part that could not be looked through to its end does not keep the others from it, and is not well.
    fn looked(&mut self, went: anyhow::Result<()>, at: &str) {
        if let Err(why) = went {
            self.check(false, &format!("{at} can be looked at: {why:#}"));
        }
    }
}

/// Runs it.
pub(super) async fn run(args: Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let app = args.place.open_as_it_is(variables).await?;
    let mut found = Found { say, well: true };
    if let Some(why) = app.gate.why() {
        found.say.title("Gate");
        found.check(false, &format!("the service may be opened: {why}"));
        found.say.note("nothing else is looked at before that");
        app.close().await;
        return Ok(status(found.well));
    }
    found.say.title("Folders and keys");
    let went = modes(&app, &mut found);
    found.looked(went, "folders and keys");
    seal(&app, &mut found).await;
    found.say.gap();
    found.say.title("Stores");
    stores(&app, &mut found).await;
    found.say.gap();
    found.say.title("Ledger");
    let went = ledger(&app, &mut found).await;
    found.looked(went, "the ledger");
    found.say.gap();
    found.say.title("Recipients");
    let went = recipients(&app, &mut found).await;
    found.looked(went, "the recipients");
    found.say.gap();
    found.say.title("Letters that come in");
    letters(&app, &mut found).await;
    found.say.gap();
    found.say.title("Promises");
    let went = promises(&app, &mut found).await;
    found.looked(went, "the promises");
    app.close().await;
    let well = found.well;
    found.say.gap();
    let last = if well { "All is well." } else { "Something is not as it must be." };
    found.say.title(last);
    Ok(status(well))
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|m| m.permissions().mode() & 0o777)
}

fn modes(app: &App, found: &mut Found<'_>) -> anyhow::Result<()> {
    let (data, keys) = (&app.config.data.folder, app.config.keys_folder());
    for folder in [data.clone(), keys.clone(), keys.join("epochs")] {
        let private = mode(&folder) == Some(0o700);
        found.check(private, &format!("{} can be entered by its owner alone (0700)", folder.display()));
    }
    let mut open = Vec::new();
    for folder in [keys.clone(), keys.join("epochs")] {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            // The head is public: it is handed to everybody.
            let secret = path.is_file() && path.extension().is_some_and(|e| e == "key" || e == "epoch");
            if secret && mode(&path).is_none_or(|m| m & 0o077 != 0) {
                open.push(path.display().to_string());
            }
        }
    }
    if let Some(tls) = &app.config.server.tls
        && mode(&tls.private_key).is_none_or(|m| m & 0o077 != 0)
    {
        open.push(tls.private_key.display().to_string());
    }
    found.check(
        open.is_empty(),
        &format!("key files can be read by their owner alone (0600){}", listed(&open)),
    );
    let (no_core, hidden) = process::is_closed();
    found.check(no_core, "a crash leaves no core file, in which keys would be");
    found.check(hidden, "no other process of the same user can look into the memory of this one");
    swap(found);
    if app.config.server.development {
        found.say.warning("this is a development installation: not for data of real people");
    }
    Ok(())
}

/// Memory that is moved to a disk may hold keys, and stays there.
fn swap(found: &mut Found<'_>) {
    let areas = std::fs::read_to_string("/proc/swaps").unwrap_or_default().lines().count().saturating_sub(1);
    if areas > 0 {
        found.say.warning(
            "this machine swaps memory to a disk, and keys with it: encrypt the swap, or turn it off",
        );
    }
}

async fn seal(app: &App, found: &mut Found<'_>) {
    let seals = seals::standing(app).await;
    let remarks = seals::remarks(app, &seals);
    for seal in seals.iter().filter(|s| s.in_use) {
        let kind = seal.kind.unwrap_or("no seal that is configured");
        found
            .check(seal.reachable, &format!("the seal in use ({kind}, {}) can be reached and used", seal.id));
    }
    for remark in remarks {
        if remark.fails {
            found.check(false, &remark.text);
        } else {
            found.say.warning(&remark.text);
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}

async fn stores(app: &App, found: &mut Found<'_>) {
    found.check(app.db.ping().await.is_ok(), "the main database answers");
    found.check(app.keys.ping().await.is_ok(), "the keystore answers");
    match app.blobs.check(&app.entropy).await {
        Ok(findings) => findings.into_iter().for_each(|finding| blobs(found, &finding)),
        Err(why) => found.check(false, &format!("the store of blobs answers: {why}")),
    }
    let epochs = app.keys.epochs().len();
    found.check(epochs <= 2, &format!("at most two key epochs are alive (now {epochs})"));
}

fn blobs(found: &mut Found<'_>, finding: &Finding) {
    match finding.level {
        Level::Good => found.check(true, &format!("blobs: {}", finding.about)),
        Level::Warning => found.say.warning(&format!("blobs, {}: {}", finding.about, finding.text)),
        Level::Error => found.check(false, &format!("blobs, {}: {}", finding.about, finding.text)),
    }
}

async fn ledger(app: &App, found: &mut Found<'_>) -> anyhow::Result<()> {
    let standing = app.ledger.standing().await;
    let why = standing.as_ref().err().map(|e| format!(": {e}")).unwrap_or_default();
    found.check(standing.is_ok(), &format!("the database continues every head that was signed{why}"));
    if let Some(folder) = app.ledger.folder() {
        let sound = app.ledger.is_folder_sound(folder).await;
        let why = sound.as_ref().err().map(|e| format!(": {e}")).unwrap_or_default();
        let claim = format!("the published ledger in {} is whole{why}", folder.display());
        found.check(sound.is_ok_and(|sound| sound), &claim);
    }
    let (of, needed) = (app.witnesses.len(), app.config.ledger.witnesses_needed);
    if of == 0 {
        found.say.note("nobody watches this ledger: see ledger.witnesses");
    } else {
        let (signed, size) = app.ledger.witnessed(&app.witnesses).await?;
        found.check(
            signed >= needed,
            &format!(
                "{signed} of {of} witnesses signed the head at {} (needed: {needed})",
                say::number(size)
            ),
        );
    }
    let waiting = app.ledger.pending().await?;
    if waiting > 0 {
        found.say.note(&format!(
            "{} to be taken into the tree",
            say::count(waiting, "entry waits", "entries wait")
        ));
    }
    Ok(())
}

/// Whether those who hold accounts of people's take our keys, and whom the documents name that nobody has set up.
async fn recipients(app: &App, found: &mut Found<'_>) -> anyhow::Result<()> {
    for (tenant, name, answer) in app.elsewhere.greet().await {
        let why = answer.as_ref().err().map(|e| format!(": {e}")).unwrap_or_default();
        found.check(answer.is_ok(), &format!("{tenant}: {name} answers and takes our key{why}"));
    }
    for tenant in app.library.tenants() {
        let policy = app.vault.policy(&tenant)?;
        let there = app.elsewhere.set_up(&tenant);
        for name in KNOWN.iter().filter(|n| policy.processor(n).is_some() && !there.contains(n)) {
            found.say.warning(&format!(
                "{tenant}: the document names {name}, which is not set up here: what it holds is in no archive and no erasure"
            ));
        }
    }
    Ok(())
}

/// Whether the name server answers that is asked where letters come from. No request is stopped by one that does not, but
/// nobody sees of a letter whether its sender wrote it. On a machine to try things out on, there may be none.
async fn letters(app: &App, found: &mut Found<'_>) {
    let dns = &app.config.intake.dns;
    match app.intake.name_server().await {
        NameServer::Off => {
            found.say.note("where letters come from is not looked at: intake.dns is off");
        }
        NameServer::Answers => {
            found.check(
                true,
                &format!("the name server (intake.dns, {dns}) answers, for DKIM, SPF and DMARC"),
            );
        }
        NameServer::Silent(why) => {
            let claim =
                format!("the name server (intake.dns, {dns}) answers, for DKIM, SPF and DMARC: {why}");
            if app.config.server.development {
                found.say.warning(&format!("not so: {claim}"));
            } else {
                found.check(false, &claim);
            }
        }
    }
}

/// Makes every check of every document, as the service does, and writes nothing down. A check that only the service can
/// make, of its log and of its pages, is told and counts for nothing.
async fn promises(app: &App, found: &mut Found<'_>) -> anyhow::Result<()> {
    for tenant in app.library.tenants() {
        let looked = match app.audit.look(&tenant).await {
            Ok(looked) => looked,
            Err(why) => {
                found.check(false, &format!("{tenant}: its promises can be looked at: {why}"));
                Vec::new()
            }
        };
        for (watch, outcome) in looked {
            let claim = format!("{tenant}, {}: {}", watch.probe, outcome.figure);
            match outcome.verdict {
                Verdict::Passed => found.check(true, &claim),
                Verdict::Failed => found.check(false, &claim),
                Verdict::CannotRun => found.say.note(&format!("not looked at: {claim}")),
            }
        }
        for word in app.audit.attestations(&tenant).await? {
            attested(&tenant, &word, found);
        }
    }
    Ok(())
}

/// What only people can keep. Nothing is said to be vouched for that nobody vouched for, though there be time yet.
fn attested(tenant: &TenantId, word: &Vouching, found: &mut Found<'_>) {
    let (what, owner, due) = (&word.attestation, &word.owner, word.due.in_words());
    let claim = format!("{tenant}, {what}: vouched for in time by {owner}");
    match word.state {
        State::Attested | State::Kept => found.check(true, &claim),
        State::AtRisk => found.say.warning(&format!("{claim}; to be vouched for again by {due}")),
        State::Waiting => {
            found
                .say
                .note(&format!("nobody has vouched yet: {tenant}, {what}; {owner} is to do it by {due}"));
        }
        State::Overdue | State::Broken => found.check(false, &claim),
    }
}
