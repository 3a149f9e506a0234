//! The house itself: its ledger, its log, whom it believes, and the audit as a whole.

use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};

use super::Look;
use crate::audit::model::{count, grouped};
use crate::audit::run::{SELF_AUDIT, period_of};
use crate::audit::{Check, Error, Outcome, Verdict};
use crate::blobs::Level;
use crate::config::TokenIssuer;
use crate::egress::{Call, CallLog, Egress, Method, Names, Recipient, Url};

/// Computes the whole ledger again from its entries and compares it with every tile and every signed head.
pub(super) async fn ledger_consistent(look: &Look<'_>) -> Result<Outcome, Error> {
    Ok(ledger(look).await?.clone())
}

async fn ledger<'a>(look: &Look<'a>) -> Result<&'a Outcome, Error> {
    look.round
        .ledger
        .get_or_try_init(|| async {
            let report = look.audit.ledger.fsck().await?;
            let found = report.faults.len() as u64;
            let figure = match report.faults.first() {
                None => format!(
                    "{} and {} verified, the newest at {}",
                    count(report.entries, "entry", "entries"),
                    count(report.checkpoints, "signed head", "signed heads"),
                    grouped(report.size)
                ),
                Some(fault) => format!("{}: {fault}", count(found, "fault", "faults")),
            };
            Ok(Outcome::counted(report.entries + report.checkpoints, found, figure))
        })
        .await
}

/// Asks the watch on the log how many lines it has seen, and how many held what none may hold.
#[expect(clippy::unused_async, reason = "every probe is called alike")]
pub(super) async fn logs_clean(look: &Look<'_>) -> Result<Outcome, Error> {
    let Some(watch) = &look.audit.settings.logs else {
        return Ok(Outcome::cannot_run("this process does not see its log"));
    };
    let (lines, bad) = watch.counts();
    if lines == 0 {
        return Ok(Outcome::cannot_run("no line was logged since the start"));
    }
    let lines_seen = count(lines, "line", "lines");
    let figure = format!(
        "{} of {lines_seen} since the start hold an address, a picture or somebody\u{2019}s words",
        grouped(bad)
    );
    Ok(Outcome::counted(lines, bad, figure))
}

/// Looks whether each identity provider whose tokens are taken for the tenant has keys by which to verify them.
pub(super) async fn tokens_verified(look: &Look<'_>) -> Result<Outcome, Error> {
    let issuers = look.audit.config.tokens.iter().filter(|t| t.tenant == *look.tenant);
    let (mut checked, mut found) = (0, 0);
    for issuer in issuers {
        checked += 1;
        found += u64::from(!has_keys(look, issuer).await);
    }
    if checked == 0 {
        return Ok(Outcome::cannot_run("no identity provider is set up, so no token is taken"));
    }
    let figure = format!(
        "{} of {} without a key to verify tokens by",
        grouped(found),
        count(checked, "identity provider", "identity providers")
    );
    Ok(Outcome::counted(checked, found, figure))
}

/// Whether there is a shared secret, or a readable key set in which every key is public: a symmetric key in a published
/// set would let anybody sign.
async fn has_keys(look: &Look<'_>, issuer: &TokenIssuer) -> bool {
    let bytes = match (&issuer.jwks_file, &issuer.jwks_url) {
        (Some(file), _) => tokio::fs::read(file).await.ok(),
        (None, Some(url)) => published(look, url).await,
        (None, None) => return issuer.hs256_secret.is_some(),
    };
    let Some(bytes) = bytes else { return false };
    let Ok(set) = serde_json::from_slice::<JwkSet>(&bytes) else { return false };
    let public = |k: &jsonwebtoken::jwk::Jwk| !matches!(k.algorithm, AlgorithmParameters::OctetKey(_));
    !set.keys.is_empty() && set.keys.iter().all(public)
}

/// A key set as its owner publishes it now.
async fn published(look: &Look<'_>, url: &str) -> Option<Vec<u8>> {
    let url = Url::parse(url).ok()?;
    let owner = Recipient::named("identity-provider").base(&url).ok()?;
    let egress = Egress::new(vec![owner], &Names::System, look.audit.clock.clone()).ok()?;
    let call = Call::new("identity-provider", Method::GET, url, "/jwks.json").at_most(256 << 10);
    let reply = egress.send(call, &CallLog::new()).await.ok()?;
    (reply.status == 200).then(|| reply.body.to_vec())
}

/// The audit as a whole: every other check of the document passed and is fresh, the ledger is sound, the stores hold what
/// they are given.
pub(super) async fn self_audit(look: &Look<'_>) -> Result<Outcome, Error> {
    let ledger = ledger(look).await?.verdict;
    look.audit.keys.ping().await?;
    let stores = look.audit.blobs.check(&look.audit.entropy).await?;
    let faults = stores.iter().filter(|f| f.level == Level::Error).count() as u64;
    let checks = look.audit.latest(look.tenant).await?;
    let mut tally = Tally::default();
    let mut names: Vec<&str> =
        look.policy.safeguards().map(|s| s.probe.as_str()).filter(|p| *p != SELF_AUDIT).collect();
    names.sort_unstable();
    names.dedup();
    for name in &names {
        tally.add(look, name, checks.iter().find(|c| c.probe == *name));
    }
    let broken = tally.failed.len() as u64 + faults + u64::from(ledger == Verdict::Failed);
    let checked = names.len() as u64 + stores.len() as u64 + 1;
    if broken > 0 {
        let mut what: Vec<String> = tally.failed.into_iter().map(ToOwned::to_owned).collect();
        what.extend((ledger == Verdict::Failed).then(|| "the ledger".to_owned()));
        what.extend((faults > 0).then(|| "the store of blobs".to_owned()));
        return Ok(Outcome::counted(checked, broken, format!("not as it must be: {}", what.join(", "))));
    }
    if !tally.unseen.is_empty() {
        let n = count(tally.unseen.len() as u64, "check", "checks");
        return Ok(Outcome::cannot_run(format!("{n} could not be made: {}", tally.unseen.join(", "))));
    }
    Ok(Outcome::counted(checked, 0, format!("{} passed", count(checked, "check", "checks"))))
}

#[derive(Default)]
struct Tally<'a> {
    failed: Vec<&'a str>,
    unseen: Vec<&'a str>,
}

impl<'a> Tally<'a> {
    /// A check that is late counts as one that was not made.
    fn add(&mut self, look: &Look<'_>, name: &'a str, check: Option<&Check>) {
        let fresh = |c: &Check| period_of(look.policy, &c.probe).is_some_and(|e| e.after(c.at) >= look.now);
        match check {
            Some(c) if c.outcome.verdict == Verdict::Failed => self.failed.push(name),
            Some(c) if c.outcome.verdict == Verdict::Passed && fresh(c) => {}
            _ => self.unseen.push(name),
        }
    }
}
