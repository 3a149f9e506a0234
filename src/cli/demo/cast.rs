//! The people of the story, the documents they meet, and what they agree to.

use super::stage::Stage;
use super::tell::Outcome;
use crate::base::{EntryId, PageSize, TenantId};
use crate::cli::needles;
use crate::cli::say::{count, number, short, size};
use crate::ledger::{Checkpoint, EntryKind, Filter};
use crate::publication;
use crate::subjects::{Email, LinkFor, NewAccount};
use crate::vault::{Actor, Owner};

pub(super) const FLUX: &str = "flux-kontext";
pub(super) const OPUS: &str = "opusflair";
/// The consent that the story gives and takes back.
pub(super) const TRAINING: &str = "training";
const CREDITS: i64 = 20;

/// A person, and the words planted in what they hand in: none of them occurs anywhere by chance.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) owner: Owner,
    pub(super) called: &'static str,
    pub(super) name: String,
    pub(super) new_name: String,
    pub(super) local: String,
    pub(super) prompt: String,
    pub(super) camera: String,
}

impl Person {
    pub(super) fn actor(&self) -> Actor {
        Actor::Subject(self.owner.subject)
    }

    /// Everything that was planted with this person.
    pub(super) fn words(&self) -> [&str; 5] {
        [&self.name, &self.new_name, &self.local, &self.prompt, &self.camera]
    }
}

/// The people.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    /// Will be erased.
    pub(super) a: Person,
    /// Stays; of the same tenant as `a`.
    pub(super) b: Person,
    /// Of the other tenant.
    pub(super) c: Person,
}

/// Both documents published: on the ledger, under a signed head.
pub(super) async fn publish(stage: &Stage) -> anyhow::Result<(Checkpoint, Outcome)> {
    let app = &stage.app;
    app.ledger.sequence().await?;
    let mut out = Outcome::default();
    let mut published = 0;
    for tenant in app.library.tenants() {
        let policy = app.vault.policy(&tenant)?;
        let filter = Filter { kind: Some(EntryKind::POLICY_PUBLISHED), subject: None };
        let entries = app.ledger.list(&tenant, &filter, PageSize::default(), None).await?.items;
        let hash = hex::encode(policy.hash());
        let proved = entries.iter().any(|e| e.leaf.facts.get("sha256") == Some(&hash.as_str().into()));
        published += usize::from(proved);
        out.row(
            format!("{tenant} {}", policy.version()),
            format!(
                "{} clauses, {} categories, {} purposes, {} rules on when things go; SHA-256 {}",
                policy.clauses().len(),
                policy.categories().count(),
                policy.purposes().count(),
                policy.retention_rules().count(),
                short(policy.hash()),
            ),
        );
        out.claim(proved, format!("the hash of the {tenant} document stands on the ledger"));
    }
    let mut again = true;
    for tenant in app.library.tenants() {
        let policy = app.vault.policy(&tenant)?;
        again &= matches!(app.publications.publish(&policy, None).await?, publication::Outcome::Known(_));
    }
    out.claim(again, "publishing again publishes nothing: a version goes out once");
    let head = app.ledger.checkpoint().await?;
    out.row("ledger", format!("{} signed, by {}", count(head.size(), "entry", "entries"), head.origin()));
    out.short(format!("{published} documents, on a signed ledger"));
    Ok(out.with(head))
}

/// Three people, two of them of one tenant: accounts, credits, a sign-in by a link that works once.
pub(super) async fn sign_up(stage: &Stage) -> anyhow::Result<(Cast, Outcome)> {
    let mut out = Outcome::default();
    let cast = Cast {
        a: person(stage, FLUX, "A", &mut out).await?,
        b: person(stage, FLUX, "B", &mut out).await?,
        c: person(stage, OPUS, "C", &mut out).await?,
    };
    let words: Vec<&str> = [&cast.a, &cast.b, &cast.c].into_iter().flat_map(Person::words).collect();
    let seen = needles::search(&stage.data, &words)?;
    out.row("searched", format!("{}, {}", count(seen.files, "file", "files"), size(seen.bytes)));
    out.claim(seen.found.is_empty(), "no name and no address lies in any file of the data folder in clear");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&stage.data)?.permissions());
    out.claim(mode & 0o777 == 0o700, "the data folder can be entered by its owner alone (0700)");
    out.short(format!("3 people, {} of files without one of their words", size(seen.bytes)));
    Ok(out.with(cast))
}

async fn person(
    stage: &Stage,
    tenant: &str,
    called: &'static str,
    out: &mut Outcome,
) -> anyhow::Result<Person> {
    let app = &stage.app;
    let tenant: TenantId = tenant.parse()?;
    let planted = |what: &str| format!("{what}{}", hex::encode(app.entropy.bytes::<6>()));
    let (name, new_name, local) = (planted("heron"), planted("egret"), planted("plover"));
    let (prompt, camera) = (planted("lantern"), planted("harbour"));
    let email: Email = format!("{local}@example.org").parse()?;
    let account =
        NewAccount { email: email.clone(), name: name.clone(), username: format!("{name}-{called}") };
    let owner = app.subjects.open(&tenant, account).await?;
    app.credits.grant(&owner, CREDITS, "welcome").await?;
    let link = app.subjects.link(&tenant, LinkFor::Subject, &email, Some("browser")).await?;
    let link = link.ok_or_else(|| anyhow::anyhow!("no sign-in link for an address that is known"))?;
    let stolen = app.subjects.redeem(&tenant, link.token.expose(), Some("another browser")).await;
    let session = app.subjects.redeem(&tenant, link.token.expose(), Some("browser")).await?;
    let twice = app.subjects.redeem(&tenant, link.token.expose(), Some("browser")).await;
    let open = app.subjects.session(session.cookie.expose()).await.is_ok();
    out.row(
        format!("person {called}"),
        format!("at {tenant}, {} credits; planted words: {name}, {local}", number(CREDITS.unsigned_abs())),
    );
    let once = stolen.is_err() && open && twice.is_err();
    out.claim(
        once,
        format!("{called} is signed in by a link that works once, and in the asking browser alone"),
    );
    Ok(Person { owner, called, name, new_name, local, prompt, camera })
}

/// A agrees to training, B says nothing.
pub(super) async fn consent(stage: &Stage, cast: &Cast) -> anyhow::Result<(EntryId, Outcome)> {
    let app = &stage.app;
    let mut out = Outcome::new("off until switched on, each word on the ledger");
    let (before, _) = standing(stage, &cast.a.owner).await?;
    let entry = app.consents.set(&cast.a.owner, TRAINING, true, "privacy-centre").await?;
    let (after, label) = standing(stage, &cast.a.owner).await?;
    let (other, _) = standing(stage, &cast.b.owner).await?;
    out.row("the switch", format!("“{label}”"));
    out.claim(!before, "it was off before anybody touched it");
    out.claim(after, "A switched it on, and the ledger has an entry for it");
    out.claim(!other, "B said nothing, and it is off for B");
    let policy = app.vault.policy(&cast.a.owner.tenant)?;
    let needs_none = policy.purpose("provide-edits").is_some_and(|p| !p.needs_consent());
    out.claim(needs_none, "making the edits one asks for needs no switch: it is what the contract is about");
    Ok(out.with(entry))
}

async fn standing(stage: &Stage, owner: &Owner) -> anyhow::Result<(bool, String)> {
    let choices = stage.app.consents.choices(owner).await?;
    let choice = choices.into_iter().find(|c| c.purpose == TRAINING);
    choice.map(|c| (c.on, c.label)).ok_or_else(|| anyhow::anyhow!("the document has no purpose {TRAINING}"))
}
