//! Where each promise ends: the clauses that make it, the rules that run it, the code that keeps it, the story that would
//! fail if it were broken, and what shows a stranger that it is kept. One table, held against the documents, the source
//! and the probes; `make docs` prints it as `docs/PROMISES.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use vouchsafe::policy::Policy;
use vouchsafe::policy::spec::PROBES;

use super::document;
use crate::support::app::{OTHER_TENANT, TENANT};
use crate::support::source::root;

/// A row of what was promised, and its end.
struct Row {
    /// Its names: F1 to F21 of Flux Kontext, O1 to O10 of OpusFlair.
    names: &'static str,
    /// What is promised.
    says: &'static str,
    /// The clauses of Flux Kontext's document that make the promise.
    flux: &'static [&'static str],
    /// Those of OpusFlair's.
    opus: &'static [&'static str],
    /// The rules that run it; each stands in a clause named here.
    rules: &'static [&'static str],
    /// The code that keeps it, below `src/`.
    code: &'static [&'static str],
    /// The stories that would fail, here.
    stories: &'static [&'static str],
    /// The checks, and the attestations, that show it.
    shown: &'static [&'static str],
    /// Why it has no full end yet.
    open: Option<&'static str>,
}

const ROWS: &[Row] = &[
    Row {
        names: "F1 O2",
        says: "What you tell us of yourself is held for your account, your payments, your credits and your questions; you see it and put it right.",
        flux: &["account"],
        opus: &["account"],
        rules: &["category.account", "purpose.account", "purpose.support", "retention.account"],
        code: &["subjects/account.rs", "vault/records.rs", "http/accounts.rs"],
        stories: &["account_data"],
        shown: &["sealed-at-rest", "nothing-undeclared"],
        open: None,
    },
    Row {
        names: "F2 O1",
        says: "Pictures, words, settings, details of pictures and the record of each edit are named one by one, and nothing else can be stored.",
        flux: &["what-we-hold", "input-images", "prompts", "results", "history"],
        opus: &["uploads", "metadata", "choices", "artwork", "log"],
        rules: &[
            "category.input-image",
            "category.prompt",
            "category.edit-parameters",
            "category.output-image",
            "category.image-metadata",
            "category.edit-history",
        ],
        code: &["policy/answers.rs", "vault/records.rs", "vault/arrive.rs", "editing/run.rs"],
        stories: &["declared_only"],
        shown: &["nothing-undeclared", "metadata-stripped"],
        open: None,
    },
    Row {
        names: "F3 O2",
        says: "Credits are counted; which features and models you use is recorded only with your word for it, for two years at most.",
        flux: &["usage", "history"],
        opus: &["optional", "billing", "log"],
        rules: &[
            "category.usage",
            "category.credits",
            "retention.usage",
            "purpose.improvement",
            "category.edit-history",
        ],
        code: &["billing/mod.rs", "editing/run.rs", "retention/sweep.rs"],
        stories: &["usage_and_credits"],
        shown: &["consent-gates", "retention-kept"],
        open: None,
    },
    Row {
        names: "F4 F13 O2",
        says: "Payments go through Stripe; we hold invoices and no card number, for as long as tax law wants them.",
        flux: &["payments", "recipients"],
        opus: &["billing", "recipients"],
        rules: &[
            "category.billing",
            "purpose.billing",
            "retention.billing",
            "retention.billing-reduced",
            "safeguard.payment-data",
            "processor.stripe",
        ],
        code: &[
            "vault/records.rs",
            "requests/take_home.rs",
            "retention/sweep.rs",
            "audit/probes/payments.rs",
        ],
        stories: &["billing"],
        shown: &["payment-data-outside", "attestation.agreements"],
        open: Some(
            "Stripe's signed messages are not taken in yet, and an erasure does not reach Stripe by itself",
        ),
    },
    Row {
        names: "F5 O2",
        says: "Of your device we note families of browser and system and a shortened network address, for ninety days, unless you object.",
        flux: &["device"],
        opus: &["device"],
        rules: &["category.device", "retention.device", "purpose.security"],
        code: &["subjects/device.rs", "edge/called_from.rs"],
        stories: &["device_data"],
        shown: &["retention-kept", "logs-clean"],
        open: None,
    },
    Row {
        names: "F6",
        says: "No cookie but those of signing in, nobody else's pages, and analytics only as long as you say so.",
        flux: &["analytics"],
        opus: &[],
        rules: &["category.analytics", "purpose.analytics", "retention.analytics", "safeguard.no-tracking"],
        code: &["edge/headers.rs", "edge/caller.rs", "web/handle/account.rs", "consent/mod.rs"],
        stories: &["cookies_and_analytics"],
        shown: &["no-tracking", "consent-gates"],
        open: None,
    },
    Row {
        names: "F7",
        says: "Pictures lie at Cloudflare R2, which holds bytes that it cannot read.",
        flux: &["recipients", "security"],
        opus: &[],
        rules: &["processor.cloudflare-r2", "safeguard.sealed"],
        code: &["blobs/s3/mod.rs", "vault/arrive.rs", "vault/blob_stream.rs"],
        stories: &["object_storage"],
        shown: &["sealed-at-rest"],
        open: None,
    },
    Row {
        names: "F8 F11",
        says: "Your pictures are for you alone; staff see what the document names, while you have a question open, and every look is written down.",
        flux: &["access"],
        opus: &[],
        rules: &[
            "access.app",
            "access.pipeline",
            "access.support",
            "access.requests",
            "access.compliance",
            "access.admin",
            "safeguard.own-images-only",
            "safeguard.staff-reads",
            "attestation.access-review",
        ],
        code: &["vault/door.rs", "policy/answers.rs", "web/desk/reads.rs"],
        stories: &["who_may_read"],
        shown: &["own-images-only", "staff-reads-recorded", "attestation.access-review"],
        open: Some(
            "the door asks for role, purpose and an open request; the written reason that some rules ask staff for is not asked for yet",
        ),
    },
    Row {
        names: "F9 F16 O4",
        says: "What is only on the way is removed as soon as the edit is done, at the provider too.",
        flux: &["input-images", "recipients", "security"],
        opus: &["uploads", "recipients", "security"],
        rules: &["retention.input-image", "safeguard.temporaries", "safeguard.provider-copies"],
        code: &["editing/run.rs", "vault/erase.rs", "providers/fal/erase.rs", "providers/replicate/erase.rs"],
        stories: &["temporary_files", "provider_keeps_nothing"],
        shown: &["temporaries-removed", "provider-copies-removed"],
        open: Some(
            "edits are made in the house; the calls that delete at FAL.AI and Replicate run against stand-ins of their protocols, and no edit is sent there yet",
        ),
    },
    Row {
        names: "F10 O4 O6",
        says: "Everything travels encrypted: to us by HTTPS alone, from us to nobody who cannot show who they are.",
        flux: &["security"],
        opus: &["security"],
        rules: &["safeguard.encrypted-outside", "safeguard.encrypted-inside"],
        code: &["egress/mod.rs", "egress/allow.rs", "edge/headers.rs"],
        stories: &["transport"],
        shown: &["outbound-tls", "https-only"],
        open: Some("TLS ends at a proxy before the service; it has no TLS listener of its own yet"),
    },
    Row {
        names: "F12 O7",
        says: "The software audits itself and leaves dated evidence; people audit it every year, and who has access every three months.",
        flux: &["audits", "access"],
        opus: &["security", "access"],
        rules: &["safeguard.self-audit", "attestation.security-audit", "attestation.access-review"],
        code: &["audit/run.rs", "audit/attest.rs", "web/desk/reads.rs", "cli/doctor.rs"],
        stories: &["audits"],
        shown: &["self-audit", "attestation.security-audit", "attestation.access-review"],
        open: None,
    },
    Row {
        names: "F14",
        says: "Nothing of yours teaches a model unless you switch that on, and no longer than you leave it on. The program makes no collection for training; whoever reads for one passes this gate.",
        flux: &["training"],
        opus: &[],
        rules: &["purpose.training", "safeguard.training-gate"],
        code: &["vault/door.rs", "vault/standing.rs", "consent/mod.rs"],
        stories: &["no_training"],
        shown: &["no-training-unconsented"],
        open: None,
    },
    Row {
        names: "F15",
        says: "FAL.AI works on your pictures for the edits that you ask for, and on nothing else of yours.",
        flux: &["recipients"],
        opus: &[],
        rules: &["processor.fal-ai", "safeguard.recipients-only"],
        code: &["editing/mod.rs", "disclosure/mod.rs", "providers/fal/submit.rs", "egress/allow.rs"],
        stories: &["own_edits_only"],
        shown: &["egress-named-only"],
        open: Some(
            "edits are made in the house; FAL.AI's protocol runs against a stand-in, and no edit is sent there yet",
        ),
    },
    Row {
        names: "F17",
        says: "We sell nothing. Who receives what is named, and every disclosure stands in a register.",
        flux: &["recipients", "disclosure"],
        opus: &[],
        rules: &[
            "safeguard.recipients-only",
            "safeguard.disclosures",
            "attestation.disclosure-review",
            "attestation.agreements",
        ],
        code: &["disclosure/mod.rs", "egress/allow.rs", "web/desk/processors.rs"],
        stories: &["no_sale"],
        shown: &["egress-named-only", "no-disclosure-unrecorded", "attestation.disclosure-review"],
        open: Some("staff cannot yet enter what was handed to an authority into the register"),
    },
    Row {
        names: "F18 O10",
        says: "A new version has a new date, is told ahead, and never replaces an old one; your words name the version you saw.",
        flux: &["changes"],
        opus: &["notices"],
        rules: &["notice.new-version", "safeguard.history"],
        code: &["app/policies.rs", "policy/diff/mod.rs", "consent/mod.rs", "web/handle/policy.rs"],
        stories: &["changes_are_told"],
        shown: &["ledger-consistent"],
        open: Some("the letters ahead of a new version are not sent yet"),
    },
    Row {
        names: "F19 O9",
        says: "A letter to the address of the page, with its subject line, is a request.",
        flux: &["controller", "rights"],
        opus: &["who", "rights"],
        rules: &["right.access", "right.erasure"],
        code: &["requests/filing.rs"],
        stories: &["mail_becomes_a_request"],
        shown: &["deadlines-kept"],
        open: Some(
            "a request that came by mail is filed, proved and answered, but no mailbox is read by the service yet",
        ),
    },
    Row {
        names: "F20 O8",
        says: "See, take home, correct, erase, and take back a consent: each by yourself, each to a receipt.",
        flux: &["rights"],
        opus: &["rights"],
        rules: &[
            "right.access",
            "right.portability",
            "right.rectification",
            "right.erasure",
            "right.withdrawal",
            "purpose.rights",
        ],
        code: &[
            "requests/filing.rs",
            "requests/fulfil.rs",
            "requests/export.rs",
            "requests/erase/mod.rs",
            "requests/receipts.rs",
        ],
        stories: &["rights"],
        shown: &["deadlines-kept", "backups-erased"],
        open: None,
    },
    Row {
        names: "F21",
        says: "Everything has an end: your account after it closes, pictures when you delete them, use after two years, invoices when tax law lets them go.",
        flux: &["retention", "account", "results", "usage", "payments"],
        opus: &[],
        rules: &[
            "retention.account",
            "retention.output-image",
            "retention.usage",
            "retention.billing",
            "retention.inactive-account",
            "safeguard.on-time",
        ],
        code: &["policy/answers.rs", "retention/sweep.rs", "retention/holds.rs"],
        stories: &["retention", "inactive_accounts"],
        shown: &["retention-kept"],
        open: Some(
            "whoever has invoices is not erased until staff have parted what tax law wants kept; that reduction is not carried out by itself yet",
        ),
    },
    Row {
        names: "O3",
        says: "We study use to get better, never pictures or words, and you can stop it for yourself.",
        flux: &[],
        opus: &["optional"],
        rules: &["purpose.improvement", "purpose.analytics", "safeguard.choices-kept"],
        code: &["consent/mod.rs", "vault/standing.rs", "editing/run.rs"],
        stories: &["analytics_objection"],
        shown: &["consent-gates"],
        open: None,
    },
    Row {
        names: "O4",
        says: "An original is gone when its artwork is done, and after 48 hours in any case; logs are technical.",
        flux: &[],
        opus: &["uploads", "log"],
        rules: &[
            "category.input-image",
            "retention.input-image",
            "category.edit-history",
            "safeguard.logs-clean",
        ],
        code: &["editing/run.rs", "retention/sweep.rs", "audit/logs.rs"],
        stories: &["inputs_within_48_hours", "logs_are_technical"],
        shown: &["retention-kept", "logs-clean"],
        open: None,
    },
    Row {
        names: "O5",
        says: "Artwork is yours: sealed under your own key, deleted when you say so; an account that nobody uses is cleaned up after two letters.",
        flux: &[],
        opus: &["artwork", "account"],
        rules: &[
            "category.output-image",
            "retention.output-image",
            "retention.inactive",
            "safeguard.sealed",
            "safeguard.own-images-only",
        ],
        code: &[
            "vault/blob_stream.rs",
            "vault/erase.rs",
            "keystore/items.rs",
            "retention/inactive.rs",
            "jobs/letters.rs",
        ],
        stories: &["own_artwork", "inactive_accounts"],
        shown: &["sealed-at-rest", "own-images-only", "ai-marked"],
        open: None,
    },
    Row {
        names: "O6",
        says: "Replicate runs the models and keeps nothing; what it says counts only with its signature.",
        flux: &[],
        opus: &["recipients"],
        rules: &["processor.replicate", "safeguard.provider-copies", "safeguard.webhooks"],
        code: &[
            "providers/replicate/mod.rs",
            "providers/replicate/erase.rs",
            "providers/replicate/hook.rs",
            "disclosure/mod.rs",
        ],
        stories: &["provider_keeps_nothing"],
        shown: &["provider-copies-removed", "webhooks-verified"],
        open: Some(
            "edits are made in the house; Replicate's protocol runs against a stand-in, and no edit is sent there yet",
        ),
    },
    Row {
        names: "O7",
        says: "Supabase looks after sign-in, whose tokens are verified by its keys, and stores artwork that it cannot read.",
        flux: &[],
        opus: &["recipients", "account", "security"],
        rules: &["processor.supabase", "safeguard.tokens", "safeguard.self-audit"],
        code: &["edge/tokens.rs", "blobs/s3/mod.rs"],
        stories: &["outside_identity", "object_storage"],
        shown: &["tokens-verified", "attestation.agreements"],
        open: Some(
            "the key set is read from a file, and an erasure does not delete the login at Supabase by itself yet",
        ),
    },
    Row {
        names: "O8",
        says: "You may pause the use of your data, and object to analytics and improvement; it holds with the same second and has a history.",
        flux: &[],
        opus: &["rights", "optional"],
        rules: &["right.restriction", "right.objection", "purpose.analytics", "purpose.improvement"],
        code: &["subjects/account.rs", "vault/door.rs", "editing/mod.rs", "consent/mod.rs"],
        stories: &["restriction", "analytics_objection"],
        shown: &["consent-gates"],
        open: None,
    },
    Row {
        names: "O9",
        says: "A privacy request is answered within 72 hours.",
        flux: &[],
        opus: &["rights", "glance"],
        rules: &["right.access", "safeguard.deadlines", "notice.request-step"],
        code: &["requests/tick.rs", "requests/model.rs", "jobs/letters.rs", "web/desk/queue.rs"],
        stories: &["answered_in_72_hours"],
        shown: &["deadlines-kept"],
        open: None,
    },
];

/// The documents of a row: each with the clauses of it that make the promise.
fn sides(row: &Row) -> Vec<(Policy, char, &'static [&'static str])> {
    let both = [(TENANT, 'F', row.flux), (OTHER_TENANT, 'O', row.opus)];
    both.into_iter().map(|(tenant, letter, clauses)| (document(tenant), letter, clauses)).collect()
}

#[test]
fn every_promise_is_in_the_table_and_made_by_its_own_document() {
    let names: BTreeSet<&str> = ROWS.iter().flat_map(|r| r.names.split(' ')).collect();
    let all = (1..=21).map(|n| format!("F{n}")).chain((1..=10).map(|n| format!("O{n}")));
    let all: BTreeSet<String> = all.collect();
    assert_eq!(names, all.iter().map(String::as_str).collect(), "rows left out, or made up");
    for row in ROWS {
        for (_, letter, clauses) in sides(row) {
            let promised = row.names.split(' ').any(|n| n.starts_with(letter));
            assert_eq!(
                promised,
                !clauses.is_empty(),
                "{}: a document makes each of its promises itself",
                row.names
            );
        }
    }
}

#[test]
fn clauses_and_rules_are_those_of_the_compiled_documents() {
    for row in ROWS {
        let mut known = BTreeSet::new();
        for (policy, _, clauses) in sides(row) {
            let mut bound = 0;
            for id in clauses {
                let clause = policy.clauses().iter().find(|c| c.id == *id);
                let clause =
                    clause.unwrap_or_else(|| panic!("{}: {} has no clause {id}", row.names, policy.tenant()));
                for rule in row.rules.iter().filter(|rule| clause.rules.iter().any(|r| r == *rule)) {
                    known.insert(*rule);
                    bound += 1;
                }
            }
            assert!(
                clauses.is_empty() || bound > 0,
                "{}: no rule binds it in {}",
                row.names,
                policy.tenant()
            );
        }
        for rule in row.rules {
            assert!(known.contains(rule), "{}: {rule} stands in none of its clauses", row.names);
        }
    }
}

#[test]
fn every_row_ends_in_code_in_a_story_and_in_something_that_shows_it() {
    let here = root().join("tests/promises");
    let mut told = BTreeSet::new();
    for row in ROWS {
        let ended = !row.code.is_empty() && !row.stories.is_empty() && !row.shown.is_empty();
        assert!(
            ended || row.open.is_some_and(|why| !why.is_empty()),
            "{} has no end and does not say why",
            row.names
        );
        for code in row.code {
            assert!(root().join("src").join(code).is_file(), "{}: src/{code} is not there", row.names);
        }
        for story in row.stories {
            let text = fs::read_to_string(here.join(format!("{story}.rs")));
            let text = text.unwrap_or_else(|e| panic!("{}: tests/promises/{story}.rs: {e}", row.names));
            let tests = text.matches("#[test]").count() + text.matches("#[tokio::test").count();
            let tests = tests + text.matches("(app: TestApp)").count();
            assert!(tests > 0, "{}: {story} tests nothing", row.names);
            assert!(
                text.contains("(app: TestApp)") || text.contains("Backend::Postgres"),
                "{story} is not told on both databases"
            );
            told.insert((*story).to_owned());
        }
        for shown in row.shown {
            let by_people = shown.strip_prefix("attestation.");
            let known = match by_people {
                Some(name) => sides(row).iter().any(|(p, ..)| p.attestations().any(|a| a.id == name)),
                None => PROBES.iter().any(|(probe, _)| probe == shown),
            };
            assert!(known, "{}: nothing is called {shown}", row.names);
        }
    }
    let there: BTreeSet<String> = fs::read_dir(&here)
        .unwrap()
        .map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "mod" && name != "table")
        .collect();
    assert_eq!(told, there, "a story that no promise asks for, or the other way round");
}

#[test]
fn a_check_that_a_row_relies_on_is_made_for_its_document() {
    for row in ROWS {
        for (policy, _, clauses) in sides(row) {
            for probe in row.shown.iter().filter(|s| !s.contains('.') && !clauses.is_empty()) {
                let named = policy.safeguards().any(|s| s.probe == *probe);
                assert!(named, "{}: {} does not have {probe} checked", row.names, policy.tenant());
            }
        }
    }
}

#[test]
fn the_page_shows_the_table_as_it_is() {
    let path = root().join("docs/PROMISES.md");
    let fresh = page();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "docs/PROMISES.md does not show the table of tests/promises/table.rs: run `make docs`"
    );
}

fn page() -> String {
    let open: Vec<&Row> = ROWS.iter().filter(|r| r.open.is_some()).collect();
    let mut page = String::from(INTRODUCTION);
    let _ = writeln!(
        page,
        "{} rows; {} have an end, {} are open.\n",
        ROWS.len(),
        ROWS.len() - open.len(),
        open.len()
    );
    page.push_str("| row | what is promised | clauses | rules | kept by | told in | shown by | end |\n");
    page.push_str("|---|---|---|---|---|---|---|---|\n");
    for row in ROWS {
        let link = |policy: &str, clause: &&str| format!("[`#{clause}`](../policies/{policy}.md)");
        let flux = row.flux.iter().map(|c| link("flux-kontext/2026-11-01", c));
        let opus = row.opus.iter().map(|c| link("opusflair/2026-05-05", c));
        let clauses: Vec<String> = flux.chain(opus).collect();
        let code: Vec<String> = row.code.iter().map(|c| format!("[`{c}`](../src/{c})")).collect();
        let stories: Vec<String> =
            row.stories.iter().map(|s| format!("[`{s}`](../tests/promises/{s}.rs)")).collect();
        let words = |all: &[&str]| all.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" ");
        let end = row.open.map_or("yes".to_owned(), |why| format!("**open**: {why}"));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} | {end} |",
            row.names,
            row.says,
            clauses.join(" "),
            words(row.rules),
            code.join(" "),
            stories.join(" "),
            words(row.shown)
        );
    }
    page
}

const INTRODUCTION: &str = "\
# What is promised, and where each promise ends

The two documents under `policies/` make these promises: the rows of Flux Kontext begin with F, those of OpusFlair with O.
Each must end somewhere: in clauses that make it, in rules that run it, in code that keeps it, in a story that fails
when it is broken, and in a check or a person's word that shows a stranger that it is kept. The checks are the probes of
[the policy language](POLICY-LANGUAGE.md#the-nine-kinds-of-rule); the promise board of each tenant shows how they stand now.

A row is open when a part of it does not run yet. What does run is tested all the same, and the row says what is missing.

This page is written by `make docs` from `tests/promises/table.rs`, which is held against the compiled documents, the source,
the tests and the probes.

";
