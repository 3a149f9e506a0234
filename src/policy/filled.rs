//! What the program itself puts into a database, and under which category of a document: every column of every table,
//! and the categories and purposes that its own features use. A migration with a column that is not here fails the build's
//! tests, and a document without a category that the program would fill is told so by `policy check`.

use super::Policy;

/// What a column keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Whatever category its row names; the vault stores nothing that the document does not declare.
    Vault,
    /// Data of this category.
    Of(&'static str),
    /// Proof of what was done (Art. 5(2) GDPR), and why it stays.
    Proof(&'static str),
    /// Nothing about anybody, and why not.
    Nobody(&'static str),
}

use Keeps::{Nobody, Of, Proof, Vault};

/// Table, what its columns keep, its columns.
pub const COLUMNS: &[(&str, Keeps, &[&str])] = &[
    (
        "api_key",
        Nobody("an app's, not a person's"),
        &[
            "id",
            "tenant",
            "secret_hash",
            "label",
            "scopes",
            "created_at",
            "last_used_at",
            "expires_at",
            "revoked_at",
        ],
    ),
    (
        "attestation",
        Nobody("what staff vouched for, sealed"),
        &["id", "tenant", "attestation", "staff", "at", "sealed"],
    ),
    (
        "blob_grave",
        Nobody("names of ciphertexts that were removed"),
        &["blob_key", "tenant", "buried_at", "next_at", "deletions"],
    ),
    (
        "consent_event",
        Of("consent-record"),
        &[
            "id",
            "tenant",
            "subject",
            "purpose",
            "state",
            "at",
            "method",
            "policy_version",
            "notice_hash",
            "receipt",
        ],
    ),
    (
        "credit_entry",
        Of("credits"),
        &["id", "tenant", "subject", "amount", "balance", "reason", "edit", "seq", "at"],
    ),
    (
        "disclosure",
        Proof("that it was done, kept to show it; the person behind it is blanked when they are erased"),
        &[
            "id",
            "tenant",
            "subject",
            "processor",
            "purpose",
            "categories",
            "edit",
            "bytes_out",
            "sent_at",
            "delete_due",
            "deleted_at",
            "proof",
            "entry",
        ],
    ),
    (
        "edit",
        Of("edit-history"),
        &[
            "id",
            "tenant",
            "subject",
            "state",
            "provider",
            "provider_ref",
            "model",
            "inputs",
            "output",
            "prompt",
            "settings",
            "progress",
            "cost",
            "error",
            "created_at",
            "started_at",
            "ended_at",
            "cleaned_at",
        ],
    ),
    (
        "erasure",
        Proof("that it was done, kept to show it; the person behind it is blanked when they are erased"),
        &[
            "id",
            "tenant",
            "subject",
            "request",
            "actor",
            "state",
            "manifest",
            "images",
            "records",
            "key",
            "started_at",
            "destroyed_at",
            "verified_at",
            "findings",
            "receipt",
            "tries",
            "next_at",
        ],
    ),
    (
        "fence",
        Proof("that it was done, kept to show it; the person behind it is blanked when they are erased"),
        &["tenant", "subject", "class", "kfp", "destroyed_at"],
    ),
    (
        "hold",
        Proof("that it was done, kept to show it; the person behind it is blanked when they are erased"),
        &[
            "id",
            "tenant",
            "subject",
            "category",
            "matter",
            "reason",
            "placed_by",
            "placed_at",
            "review_at",
            "released_by",
            "released_at",
        ],
    ),
    (
        "idempotency",
        Nobody("ids, hashes and sealed answers, for a day"),
        &["tenant", "caller", "route", "key_hash", "request_hash", "state", "status", "body", "created_at"],
    ),
    (
        "item_key",
        Nobody("wrapped keys"),
        &["item", "tenant", "subject", "id", "kind", "epoch", "wrapped", "kfp", "created_at"],
    ),
    (
        "job",
        Nobody("ids only, for as long as the job runs"),
        &[
            "id",
            "kind",
            "payload",
            "tenant",
            "unique_key",
            "run_at",
            "deadline",
            "state",
            "claims",
            "lease_until",
            "lease_token",
            "last_error",
            "created_at",
        ],
    ),
    ("ledger_checkpoint", Nobody("signed heads of the tree"), &["size", "signed_at", "note"]),
    (
        "ledger_entry",
        Proof("that it was done, kept to show it; the person behind it is blanked when they are erased"),
        &["id", "arrival", "seq", "tenant", "kind", "subject_ref", "happened_at", "leaf"],
    ),
    ("ledger_head", Nobody("the newest head of the tree"), &["slot", "turn", "size", "signed_at", "note"]),
    ("ledger_tile", Nobody("hashes"), &["level", "n", "hashes"]),
    ("letter", Nobody("which letter of a request went out"), &["tenant", "request", "kind", "at"]),
    (
        "object",
        Vault,
        &[
            "id",
            "tenant",
            "subject",
            "category",
            "state",
            "blob_key",
            "cipher_len",
            "cipher_sha256",
            "meta",
            "parent",
            "facts",
            "policy_version",
            "rule",
            "kfp",
            "created_at",
            "due_at",
            "expires_at",
        ],
    ),
    (
        "policy_version",
        Nobody("published documents"),
        &["tenant", "version", "effective_at", "hash", "source", "published_at", "entry"],
    ),
    (
        "probe_run",
        Nobody("counts, and sentences about counts"),
        &["id", "tenant", "probe", "state", "figure", "checked", "found", "at"],
    ),
    (
        "probe_state",
        Nobody("counts, and sentences about counts"),
        &[
            "tenant",
            "probe",
            "state",
            "figure",
            "checked",
            "found",
            "parts",
            "at",
            "since",
            "entry",
            "recorded_at",
        ],
    ),
    (
        "receipt",
        Proof("that it was done, kept to show it; the person behind it is blanked when they are erased"),
        &["id", "tenant", "kind", "subject", "entry", "opening", "created_at"],
    ),
    (
        "record",
        Vault,
        &[
            "id",
            "tenant",
            "subject",
            "category",
            "name",
            "revision",
            "sealed",
            "parent",
            "facts",
            "policy_version",
            "rule",
            "kfp",
            "created_at",
            "updated_at",
            "due_at",
        ],
    ),
    (
        "request",
        Of("rights-request"),
        &[
            "id",
            "reference",
            "tenant",
            "subject",
            "asked",
            "about",
            "state",
            "channel",
            "detail",
            "received_at",
            "promise_due",
            "internal_due",
            "legal_due",
            "extended_due",
            "grace_until",
            "extended_at",
            "answered_at",
            "closed_at",
            "purge_at",
            "outcome",
            "receipt",
            "made_at",
            "archive_len",
            "archive_sha256",
            "available_until",
            "delivered_at",
            "alarm",
            "tries",
            "problem",
            "next_at",
            "revision",
        ],
    ),
    (
        "request_event",
        Of("rights-request"),
        &["id", "tenant", "request", "seq", "at", "role", "kind", "note", "entry"],
    ),
    (
        "request_task",
        Of("rights-request"),
        &["request", "tenant", "target", "state", "proof", "tries", "due_at", "done_at"],
    ),
    (
        "session",
        Of("account"),
        &[
            "token_hash",
            "id",
            "tenant",
            "subject",
            "staff",
            "created_at",
            "proved_at",
            "last_seen_at",
            "expires_at",
        ],
    ),
    (
        "sign_in",
        Of("account"),
        &[
            "token_hash",
            "tenant",
            "email_index",
            "subject",
            "staff",
            "browser_hash",
            "sealed",
            "created_at",
            "expires_at",
            "used_at",
        ],
    ),
    (
        "staff",
        Nobody("the house's own people, sealed"),
        &["id", "tenant", "role", "email_index", "sealed", "created_at", "disabled_at"],
    ),
    (
        "subject",
        Of("account"),
        &[
            "id",
            "tenant",
            "state",
            "generation",
            "email_index",
            "policy_version",
            "created_at",
            "last_active_at",
            "warned_at",
            "warnings",
            "restricted_at",
        ],
    ),
    (
        "subject_key",
        Nobody("wrapped keys"),
        &["tenant", "subject", "class", "id", "epoch", "wrapped", "kfp", "created_at"],
    ),
    ("subject_login", Of("account"), &["tenant", "issuer", "login_index", "subject"]),
    ("sweep", Nobody("counts"), &["id", "tenant", "rule", "category", "at", "erased", "lateness", "entry"]),
    ("system_key", Nobody("the service's own keys"), &["name", "epoch", "wrapped", "created_at"]),
];

/// A category that a feature of the program fills by itself.
#[derive(Debug, Clone, Copy)]
pub struct Filled {
    /// Its name in documents.
    pub category: &'static str,
    /// What is put into it.
    pub what: &'static str,
    /// What happens with a document that does not declare it.
    pub without: &'static str,
}

const fn fills(category: &'static str, what: &'static str, without: &'static str) -> Filled {
    Filled { category, what, without }
}

/// The categories that the program fills by itself. All others are an app's own.
pub const FILLED: &[Filled] = &[
    fills("account", "name and e-mail address of everybody who signs up", "nobody can sign up"),
    fills("input-image", "the picture that somebody uploads for an edit", "no picture can be uploaded"),
    fills("image-metadata", "format and size of each picture", "no picture can be uploaded"),
    fills("prompt", "the words of an edit", "no edit can be asked for"),
    fills("edit-parameters", "the settings of an edit", "no edit can be asked for"),
    fills("output-image", "the picture that an edit made", "no edit can succeed"),
    fills("edit-history", "model, times and outcome of an edit", "no edit can succeed"),
    fills(
        "usage",
        "which feature was used, if the person agreed to `improvement`",
        "nothing of it is recorded",
    ),
    fills("credits", "credits bought, spent and given back", "the credits of an edit are kept unnamed"),
    fills("rights-request", "requests, their steps and their letters", "requests are kept unnamed"),
    fills("consent-record", "each consent, refusal, withdrawal and objection", "consents are kept unnamed"),
];

/// The purposes that the program's own features name when they use data.
pub const NAMED_PURPOSES: &[(&str, &str)] = &[
    ("account", "signing up and in, showing people what is theirs"),
    ("provide-edits", "uploads, edits and results"),
    ("rights", "requests, archives, erasures, receipts"),
    ("improvement", "records of use"),
    ("training", "collections to train models with"),
];

/// What the program fills and the document does not declare.
pub fn unfilled(policy: &Policy) -> impl Iterator<Item = &'static Filled> {
    FILLED.iter().filter(|filled| policy.category(filled.category).is_none())
}
