use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use chrono::TimeDelta;

use super::{App, Error, Gate, Rooms, copies, keys, outside, policies};
use crate::archive;
use crate::audit::{self, Audit, LogWatch};
use crate::base::{Clock, Entropy, Secret, TenantId};
use crate::billing::{Credits, Invoices};
use crate::blobs::{self, Blobs, FolderSettings, S3Settings};
use crate::config::{self, Config};
use crate::consent::Consents;
use crate::disclosure::Disclosures;
use crate::drp::{self, Drp};
use crate::editing::{self, Editing};
use crate::egress::Names;
use crate::elsewhere::{self, Elsewhere};
use crate::imaging::Limits;
use crate::imports::{self, Imports};
use crate::intake::{self, Dns, Intake, Verifier};
use crate::keystore::{self, Keystore, SealKey};
use crate::ledger::{Ledger, Published, SignerKey, Witnesses};
use crate::mail::{self, Post};
use crate::policy::{Library, Policy};
use crate::publication::{self, Publications};
use crate::recipients::Recipient;
use crate::requests::{self, Requests};
use crate::retention::Retention;
use crate::store::{self, Db, PostgresSettings, SqliteSettings};
use crate::subjects::Subjects;
use crate::training::{self, Training};
use crate::vault::{self, Vault};
use crate::webhooks::{self, Webhooks};

const NOT_A_VENDOR: config::Error =
    config::Error::Contradiction("blobs.s3.vendor is cloudflare-r2, supabase or generic");

/// What differs between the real service, a test and a demonstration.
#[derive(Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The documents.
    pub documents: Vec<Policy>,
    /// How letters leave; by the configuration if none.
    pub mail: Option<mail::Settings>,
    /// Where blobs lie; by the configuration if none.
    pub blobs: Option<blobs::Settings>,
    /// The program that decodes what providers send, called with `redraw`; without one, this process does it itself.
    pub redrawer: Option<PathBuf>,
    /// The watch on the log, where this process writes one: without it nobody can tell what is in it.
    pub logs: Option<LogWatch>,
}

impl Setup {
    /// The real service: system clock, system randomness, documents from their folder.
    pub fn of(config: Config) -> Result<Self, Error> {
        let documents = policies::load_documents(&config.data.policies)?;
        Ok(Self {
            config,
            clock: Clock::system(),
            entropy: Entropy::system(),
            documents,
            mail: None,
            blobs: None,
            redrawer: std::env::current_exe().ok(),
            logs: None,
        })
    }
}

struct Ground {
    db: Db,
    keys: Keystore,
    blobs: Blobs,
    /// Where uploads land before they are whole.
    incoming: Vec<PathBuf>,
    ledger: Ledger,
    witnesses: Witnesses,
    archives: archive::Signer,
}

impl App {
    /// Puts the service together: folders and keys made if missing, databases brought up to date, a new
    /// tenant's documents published. Where a backup was put back, it is put together and stays shut ([`super::Gate`]).
    /// Two services over one SQLite data folder are a mistake; over one PostgreSQL they are replicas.
    pub async fn open(setup: Setup) -> Result<Self, Error> {
        let Setup { config, clock, entropy, documents, mail, blobs, redrawer, logs } = setup;
        let library = Library::new();
        let ground = ground(&config, &clock, &entropy, blobs).await?;
        let post = post(&config, mail)?;
        let outside = outside::providers(&config, redrawer, &clock, &entropy)?;
        let recipients = outside::recipients(&config, &clock)?;
        let webhooks = Webhooks::new(webhooks::Parts {
            db: ground.db.clone(),
            keys: ground.keys.clone(),
            names: Names::System,
            development: config.server.development,
            clock: clock.clone(),
            entropy: entropy.clone(),
        })?;
        let out = (post, outside, (recipients, webhooks), logs);
        let rooms = rooms((config, documents), ground, library, out, (clock, entropy))?;
        let app = Self(Arc::new(rooms));
        // The tenants are known from what is published; nothing new is published, signed or swept before what happened
        // since a backup has been done again.
        app.publications.refresh().await?;
        match app.look().await? {
            None => {
                app.remember_destroyed().await?;
                app.take_up().await?;
            }
            Some(why) => app.gate.shut(why),
        }
        Ok(app)
    }

    /// Makes the file of a seal key, where there is none yet, for a seal to be moved to.
    pub fn make_seal_file(config: &Config) -> Result<(), Error> {
        keys::private_folder(&config.keys_folder())?;
        SealKey::from_file_or_new(&keys::seal_file(config), &Entropy::system())?;
        Ok(())
    }

    /// Closes the databases, after what is at work in them.
    pub async fn close(&self) {
        if self.gate.is_open() && self.remember_destroyed().await.is_err() {
            tracing::warn!(
                "how many keys were destroyed could not be remembered; the next start counts them anew"
            );
        }
        self.db.close().await;
        self.keys.close().await;
    }
}

async fn ground(
    config: &Config,
    clock: &Clock,
    entropy: &Entropy,
    blobs: Option<blobs::Settings>,
) -> Result<Ground, Error> {
    let folder = &config.data.folder;
    keys::private_folder(folder)?;
    copies::sweep(folder).map_err(|e| Error::Folder(folder.clone(), e))?;
    let keys_folder = config.keys_folder();
    keys::private_folder(&keys_folder)?;
    let (db, key_db) = databases(config, folder).await?;
    let origin = origin(config);
    let keystore = Keystore::open(keystore::Opening {
        db: key_db,
        folder: &keys_folder.join("epochs"),
        seals: keys::seals(config, clock, entropy)?,
        installation: &origin,
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
    .await?;
    let settings = match blobs {
        Some(settings) => settings,
        None => blob_settings(config, folder)?,
    };
    let incoming = match &settings {
        blobs::Settings::Folder(folder) => vec![folder.incoming()],
        blobs::Settings::S3(_) | blobs::Settings::Memory => Vec::new(),
    };
    let blobs = Blobs::open(settings, clock, entropy)?;
    let signer = SignerKey::ledger(&origin, &keys::signing_seed(&keys_folder, "ledger.key", entropy)?)?;
    let seed = keys::signing_seed(&keys_folder, "archive.key", entropy)?;
    let archives = archive::Signer::new(&format!("{}/take-home", host_of(&config.server.public_url)), &seed)?;
    let state = keys_folder.join("ledger.head");
    let published = Published { folder: config.ledger_folder(), kept: config.ledger.kept.clone() };
    let (c, e) = (clock.clone(), entropy.clone());
    let ledger = Ledger::open_published(db.clone(), signer, c, e, state, Some(published)).await?;
    let witnesses = outside::witnesses(config, clock)?;
    Ok(Ground { db, keys: keystore, blobs, incoming, ledger, witnesses, archives })
}

/// What the installation is called: in its ledger, and to whoever keeps its seal key.
pub(super) fn origin(config: &Config) -> String {
    let usual = || format!("{}/ledger", host_of(&config.server.public_url));
    config.ledger.origin.clone().unwrap_or_else(usual)
}

async fn databases(config: &Config, folder: &Path) -> Result<(Db, Db), Error> {
    if let (Some(main), Some(keys)) = (&config.store.postgres, &config.store.keystore_postgres) {
        let connections = config.store.connections.unwrap_or(10);
        let settings = |url: &Secret<String>| PostgresSettings { url: url.clone(), connections };
        return Ok((
            Db::postgres(&settings(main), &store::MAIN).await?,
            Db::postgres(&settings(keys), &store::KEYSTORE).await?,
        ));
    }
    let readers = config.store.connections.unwrap_or(4);
    let (main, keys) = (folder.join("vouchsafe.db"), folder.join("keystore.db"));
    Ok((
        Db::sqlite(SqliteSettings { path: &main, readers }, &store::MAIN).await?,
        Db::sqlite(SqliteSettings { path: &keys, readers }, &store::KEYSTORE).await?,
    ))
}

pub(super) fn blob_settings(config: &Config, folder: &Path) -> Result<blobs::Settings, Error> {
    let Some(s3) = &config.blobs.s3 else {
        return Ok(blobs::Settings::Folder(FolderSettings::new(folder.join("blobs"))));
    };
    let vendor = match s3.vendor.as_str() {
        "cloudflare-r2" => blobs::Vendor::CloudflareR2,
        "supabase" => blobs::Vendor::Supabase,
        "generic" => blobs::Vendor::Generic,
        _ => return Err(NOT_A_VENDOR.into()),
    };
    let secret = s3.secret_access_key.clone();
    let mut settings = S3Settings::new(vendor, &s3.endpoint, &s3.bucket, s3.access_key_id.expose(), secret);
    settings.region.clone_from(&s3.region);
    Ok(blobs::Settings::S3(Box::new(settings)))
}

fn post(config: &Config, settings: Option<mail::Settings>) -> Result<Post, Error> {
    let of_config = || match &config.mail.smtp_host {
        Some(host) => mail::Settings::Smtp {
            host: host.clone(),
            port: config.mail.smtp_port,
            login: config.mail.smtp_user.clone().zip(config.mail.smtp_password.clone()),
        },
        None => mail::Settings::Outbox(config.letters_folder()),
    };
    Ok(Post::new(&settings.unwrap_or_else(of_config), &config.mail.from)?)
}

/// The public URL without scheme and trailing slash: what this installation is called in what it signs.
pub(super) fn host_of(public_url: &str) -> &str {
    public_url.split_once("://").map_or(public_url, |(_, rest)| rest).trim_end_matches('/')
}

fn door(ground: &Ground, library: &Library, clock: &Clock, entropy: &Entropy) -> Vault {
    Vault::new(vault::Parts {
        db: ground.db.clone(),
        keys: ground.keys.clone(),
        blobs: ground.blobs.clone(),
        ledger: ground.ledger.clone(),
        library: library.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
}

fn auditor(
    ground: &Ground,
    (config, logs): (&Config, Option<LogWatch>),
    (vault, library): (&Vault, &Library),
    clock: &Clock,
    entropy: &Entropy,
) -> Audit {
    let (db, ledger, c, e) = (&ground.db, &ground.ledger, clock.clone(), entropy.clone());
    Audit::new(audit::Parts {
        db: db.clone(),
        vault: vault.clone(),
        keys: ground.keys.clone(),
        blobs: ground.blobs.clone(),
        ledger: ledger.clone(),
        library: library.clone(),
        disclosures: Disclosures::new(db.clone(), vault.clone(), ledger.clone(), c, e),
        config: config.clone(),
        settings: audit::Settings { temporary: ground.incoming.clone(), logs, ..audit::Settings::default() },
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
}

/// How long an erasure that somebody set can be taken back.
fn grace(config: &Config) -> TimeDelta {
    let seconds = i64::try_from(config.rights.grace.rough_seconds()).unwrap_or(i64::MAX);
    TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)
}

fn edits(
    ground: &Ground,
    vault: &Vault,
    (credits, disclosures, webhooks): (&Credits, &Disclosures, &Webhooks),
    outside: editing::Outside,
    (clock, entropy): (&Clock, &Entropy),
) -> Editing {
    Editing::new(editing::Parts {
        db: ground.db.clone(),
        keys: ground.keys.clone(),
        ledger: ground.ledger.clone(),
        vault: vault.clone(),
        credits: credits.clone(),
        disclosures: disclosures.clone(),
        webhooks: webhooks.clone(),
        outside,
        limits: Limits::default(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
}

fn versions(
    ground: &Ground,
    vault: &Vault,
    (subjects, consents): (&Subjects, &Consents),
    library: &Library,
    (clock, entropy): (&Clock, &Entropy),
) -> Publications {
    Publications::new(publication::Parts {
        db: ground.db.clone(),
        vault: vault.clone(),
        subjects: subjects.clone(),
        consents: consents.clone(),
        ledger: ground.ledger.clone(),
        library: library.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
}

fn intake(
    config: &Config,
    (db, keys, ledger): (&Db, &Keystore, &Ledger),
    (vault, subjects, requests): (&Vault, &Subjects, &Requests),
    post: &Post,
    (clock, entropy): (&Clock, &Entropy),
) -> Intake {
    Intake::new(intake::Parts {
        db: db.clone(),
        keys: keys.clone(),
        vault: vault.clone(),
        subjects: subjects.clone(),
        requests: requests.clone(),
        ledger: ledger.clone(),
        post: post.clone(),
        verifier: Verifier::new(config.intake.dns.parse().unwrap_or(Dns::Off)),
        house: intake::House {
            public_url: config.server.public_url.clone(),
            from: config.mail.from.clone(),
            development: config.server.development,
        },
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
}

fn elsewhere(
    (ground, recipients): (&Ground, Vec<(TenantId, Recipient)>),
    vault: &Vault,
    (disclosures, invoices): (&Disclosures, &Invoices),
    (clock, entropy): (&Clock, &Entropy),
) -> Elsewhere {
    Elsewhere::new(elsewhere::Parts {
        db: ground.db.clone(),
        keys: ground.keys.clone(),
        vault: vault.clone(),
        ledger: ground.ledger.clone(),
        disclosures: disclosures.clone(),
        invoices: invoices.clone(),
        recipients,
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
}

fn imports(
    config: &Config,
    (db, ledger, archives): (&Db, &Ledger, &archive::Signer),
    (vault, editing): (&Vault, &Editing),
    (clock, entropy): (&Clock, &Entropy),
) -> Imports {
    Imports::new(imports::Parts {
        db: db.clone(),
        vault: vault.clone(),
        editing: editing.clone(),
        ledger: ledger.clone(),
        own_key: archives.verifying(),
        folder: config.data.folder.clone(),
        settings: imports::Settings::default(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
}

fn training(
    (db, ledger, archives): (&Db, &Ledger, &archive::Signer),
    (vault, consents): (&Vault, &Consents),
    (clock, entropy): (&Clock, &Entropy),
) -> Training {
    Training::new(training::Parts {
        db: db.clone(),
        vault: vault.clone(),
        consents: consents.clone(),
        ledger: ledger.clone(),
        signer: archives.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    })
}

fn agents(
    config: &Config,
    db: &Db,
    (subjects, requests): (&Subjects, &Requests),
    (clock, entropy): (&Clock, &Entropy),
) -> Result<Drp, Error> {
    Ok(Drp::new(drp::Parts {
        db: db.clone(),
        subjects: subjects.clone(),
        requests: requests.clone(),
        names: Names::System,
        development: config.server.development,
        public_url: config.server.public_url.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    })?)
}

/// Who is written to, asked and told, and what is watched.
type Out = (Post, editing::Outside, (Vec<(TenantId, Recipient)>, Webhooks), Option<LogWatch>);

fn rooms(
    (config, documents): (Config, Vec<Policy>),
    ground: Ground,
    library: Library,
    (post, outside, (recipients, webhooks), logs): Out,
    (clock, entropy): (Clock, Entropy),
) -> Result<Rooms, Error> {
    let vault = door(&ground, &library, &clock, &entropy);
    let audit = auditor(&ground, (&config, logs), (&vault, &library), &clock, &entropy);
    let (db, keys, ledger) = (&ground.db, &ground.keys, &ground.ledger);
    let (c, e) = (|| clock.clone(), || entropy.clone());
    let subjects = Subjects::new(db.clone(), keys.clone(), vault.clone(), ledger.clone(), c(), e());
    let consents = Consents::new(db.clone(), vault.clone(), ledger.clone(), c(), e());
    let credits = Credits::new(db.clone(), c(), e());
    let invoices = Invoices::new(vault.clone());
    let disclosures = Disclosures::new(db.clone(), vault.clone(), ledger.clone(), c(), e());
    let editing = edits(&ground, &vault, (&credits, &disclosures, &webhooks), outside, (&clock, &entropy));
    let elsewhere = elsewhere((&ground, recipients), &vault, (&disclosures, &invoices), (&clock, &entropy));
    let retention = Retention::new(db.clone(), vault.clone(), ledger.clone(), library.clone(), c(), e());
    let publications = versions(&ground, &vault, (&subjects, &consents), &library, (&clock, &entropy));
    let Ground { db, keys, blobs, ledger, witnesses, archives, .. } = ground;
    let kept = (&db, &ledger, &archives);
    let imports = imports(&config, kept, (&vault, &editing), (&clock, &entropy));
    let training = training(kept, (&vault, &consents), (&clock, &entropy));
    let requests = Requests::new(requests::Parts {
        db: db.clone(),
        keys: keys.clone(),
        vault: vault.clone(),
        subjects: subjects.clone(),
        consents: consents.clone(),
        credits: credits.clone(),
        editing: editing.clone(),
        elsewhere: elsewhere.clone(),
        disclosures: disclosures.clone(),
        webhooks: webhooks.clone(),
        ledger: ledger.clone(),
        library: library.clone(),
        signer: archives,
        settings: requests::Settings { grace: grace(&config), ..requests::Settings::default() },
        clock: c(),
        entropy: e(),
    });
    let letters =
        intake(&config, (&db, &keys, &ledger), (&vault, &subjects, &requests), &post, (&clock, &entropy));
    let drp = agents(&config, &db, (&subjects, &requests), (&clock, &entropy))?;
    Ok(Rooms {
        config,
        clock,
        entropy,
        db,
        keys,
        blobs,
        ledger,
        witnesses,
        library,
        vault,
        subjects,
        consents,
        credits,
        invoices,
        disclosures,
        webhooks,
        editing,
        elsewhere,
        retention,
        publications,
        documents,
        unpublished: OnceLock::new(),
        requests,
        intake: letters,
        drp,
        imports,
        training,
        audit,
        post,
        gate: Gate::default(),
    })
}
