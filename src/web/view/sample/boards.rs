use super::*;

use super::desk::promise_rows;

pub(super) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("desk-retention", html(&retention())),
        (
            "desk-retention-empty",
            html(&RetentionBoard { rules: vec![], last_run: None, next_run: None, ..retention() }),
        ),
        ("desk-promises", html(&promises())),
        ("desk-promises-empty", html(&PromiseBoard { rows: vec![], checked: None, ..promises() })),
        ("desk-promise", html(&promise())),
        ("desk-promise-unchecked", html(&unchecked())),
        ("desk-promise-vouched", html(&vouched())),
        ("desk-promise-unvouched", html(&unvouched())),
        ("desk-holds", html(&holds())),
        (
            "desk-holds-empty",
            html(&Holds {
                holds: vec![],
                lifted: vec![],
                untold: String::new(),
                mistakes: mistakes("reason", "Say why. The person is told this."),
                ..holds()
            }),
        ),
        ("desk-processors", html(&processors())),
        (
            "desk-processors-empty",
            html(&Processors {
                processors: vec![],
                tasks: vec![],
                disclosures: vec![],
                handed: vec![],
                form: None,
                ..processors()
            }),
        ),
        ("desk-ledger", html(&ledger())),
        ("desk-reads", html(&reads())),
    ]
}

fn retention() -> RetentionBoard {
    let rule = |category: &str,
                period: &str,
                state: State,
                figures: [u64; 6],
                oldest: &str,
                next: Option<&str>| RetentionRow {
        rule: format!("retention.{category}"),
        category: category.into(),
        period: period.into(),
        state,
        live: Count(figures[0]),
        due: Count(figures[1]),
        overdue: Count(figures[2]),
        held: Count(figures[3]),
        oldest: oldest.into(),
        erased_day: Count(figures[4]),
        erased_month: Count(figures[5]),
        daily: Bars {
            what: format!("{category} swept each day, last 30 days"),
            values: (0..30_u64).map(|n| (n * 7919 + figures[5]) % 97 * u64::from(n % 7 != 6)).collect(),
        },
        next: next.map(at),
    };
    RetentionBoard {
        desk: desk(),
        counted: at("2026-11-22T14:06:30Z"),
        last_run: Some(at("2026-11-22T14:06:00Z")),
        next_run: Some(at("2026-11-22T14:11:00Z")),
        rules: vec![
            rule(
                "input-image",
                "when the edit succeeded, at most 48 hours after upload",
                State::AtRisk,
                [214, 3, 0, 0, 1_402, 48_210],
                "46 hours",
                Some("2026-11-22T15:50:00Z"),
            ),
            rule(
                "output-image",
                "when deleted, or the account is closed",
                State::Kept,
                [1_204_551, 0, 0, 12, 388, 12_044],
                "1 year",
                None,
            ),
            rule(
                "usage",
                "2 years after it arose",
                State::Kept,
                [3_882_140, 0, 0, 0, 5_120, 151_220],
                "23 months",
                Some("2026-11-23T00:00:00Z"),
            ),
            rule(
                "account",
                "30 days after it is closed",
                State::Kept,
                [18_420, 0, 0, 1, 4, 131],
                "29 days",
                Some("2026-11-23T08:00:00Z"),
            ),
            rule("billing", "10 years after the invoice’s year", State::Kept, [0, 0, 0, 0, 0, 0], "", None),
            rule(
                "device",
                "30 days after it arose",
                State::Broken,
                [91_022, 210, 17, 0, 3_001, 90_455],
                "31 days",
                Some("2026-11-22T14:08:00Z"),
            ),
        ],
    }
}

fn promises() -> PromiseBoard {
    PromiseBoard {
        desk: desk(),
        version: "2026-05-05".into(),
        effective: at("2026-05-05T00:00:00Z"),
        tally: vec![
            Tally { state: State::Broken, count: Count(1) },
            Tally { state: State::Overdue, count: Count(1) },
            Tally { state: State::AtRisk, count: Count(1) },
            Tally { state: State::Kept, count: Count(21) },
        ],
        checked: Some(at("2026-11-22T14:06:00Z")),
        states: vec![choice("", "All", true), choice("broken", "Broken", false)],
        kinds: vec![choice("", "All", true), choice("retention", "retention", false)],
        rows: promise_rows(),
    }
}

fn entry(index: u64) -> ProofLink {
    ProofLink { index: Count(index), href: format!("/flux-kontext/ledger/{index}") }
}

fn promise() -> PromisePage {
    let run = |time: &str, verdict: State, figure: &str, found: u64, index: u64| RunRow {
        at: at(time),
        verdict,
        figure: figure.into(),
        checked: Count(48_210),
        found: Count(found),
        proof: Some(entry(index)),
    };
    let part = |rule: &str, here: bool, state: State, figure: &str| PartRow {
        rule: rule.into(),
        href: Some(format!("/flux-kontext/desk/promises/{rule}")),
        here,
        state,
        figure: figure.into(),
    };
    let row = promise_rows().swap_remove(0);
    PromisePage {
        desk: desk(),
        proof: Some(entry(51_260)),
        check: Some(CheckFound {
            probe: "retention-kept".into(),
            looks_at: "Everything stored against its time, by rule.".into(),
            every: "1 hour".into(),
            verdict: State::Broken,
            figure: "3 of 48,210 things stored are past their time".into(),
            checked: Count(48_210),
            found: Count(3),
            at: Some(at("2026-11-22T14:05:00Z")),
            since: Some(at("2026-11-22T09:00:00Z")),
            parts: vec![
                part(&row.rule, true, State::Broken, "3 of 91 past their time, the latest by 3 hours"),
                part("retention.prompt", false, State::Kept, "0 of 310 past their time"),
                PartRow {
                    href: None,
                    ..part("retention.gone", false, State::Kept, "nothing is held under it")
                },
            ],
            runs: vec![
                run(
                    "2026-11-22T09:00:00Z",
                    State::Broken,
                    "3 of 48,210 things stored are past their time",
                    3,
                    51_260,
                ),
                run(
                    "2026-11-21T09:00:00Z",
                    State::Kept,
                    "0 of 48,002 things stored are past their time",
                    0,
                    49_001,
                ),
                RunRow {
                    proof: None,
                    ..run("2026-11-20T09:00:00Z", State::Waiting, "a store did not answer", 0, 0)
                },
            ],
        }),
        vouching: None,
        mistakes: Mistakes::default(),
        row,
    }
}

fn unchecked() -> PromisePage {
    let check = CheckFound {
        probe: "logs-clean".into(),
        looks_at: "Every line that this process has logged since its start.".into(),
        every: String::new(),
        verdict: State::Waiting,
        figure: String::new(),
        checked: Count(0),
        found: Count(0),
        at: None,
        since: None,
        parts: vec![],
        runs: vec![],
    };
    let rich = promise();
    let row = PromiseRow { state: State::Waiting, checked: None, proof_href: None, ..rich.row.clone() };
    PromisePage { check: Some(check), proof: None, row, ..rich }
}

fn vouched() -> PromisePage {
    let word = |time: &str, file: Option<(String, String)>| WordRow {
        at: at(time),
        by: "compliance@flux-kontext.example".into(),
        text: "Everybody on the list was asked.\nTwo people have left; their access is closed.".into(),
        file,
        proof: Some(entry(51_300)),
    };
    let file = ("review.pdf".into(), "/flux-kontext/desk/promises/attestation.audit/evidence/ent_1".into());
    PromisePage {
        check: None,
        vouching: Some(Vouching {
            owner: "the data protection officer".into(),
            wanted: "the list with a word on each entry".into(),
            due: at("2027-02-20T10:00:00Z"),
            words: vec![word("2026-11-22T10:00:00Z", Some(file)), word("2026-08-20T10:00:00Z", None)],
            typed: Typed::default(),
            largest: "5 MB".into(),
        }),
        row: promise_rows().swap_remove(1),
        ..promise()
    }
}

fn unvouched() -> PromisePage {
    let rich = vouched();
    let typed = Typed { evidence: "Asked <everybody>".into() };
    let vouching = rich.vouching.clone().map(|v| Vouching { words: vec![], typed, ..v });
    PromisePage { vouching, mistakes: mistakes("file", "A file of evidence has a name."), ..rich }
}

fn holds() -> Holds {
    let hold = HoldRow {
        id: "hld_1".into(),
        on: "sub_0192f3a47b1c7d2e".into(),
        reason: "A court asked for the invoices of this account.".into(),
        law: "LG Berlin, 12 O 44/26".into(),
        by: "Compliance desk".into(),
        since: at("2026-03-01T10:00:00Z"),
        review: at("2026-11-01T00:00:00Z"),
        items: Count(12),
        lifted: None,
        approved: None,
        may_approve: true,
        review_over: false,
        told: "Told on 22 November 2026".into(),
    };
    Holds {
        desk: desk(),
        lifted: vec![HoldRow { lifted: Some(at("2026-09-01T00:00:00Z")), ..hold.clone() }],
        holds: vec![hold],
        categories: vec![
            choice("billing", "billing", true),
            choice("account", "account", false),
            choice("output-image", "output-image", false),
            choice("prompt", "prompt", false),
        ],
        whom: String::new(),
        reason: String::new(),
        law: String::new(),
        review: String::new(),
        untold: String::new(),
        mistakes: Mistakes::default(),
    }
}

fn processors() -> Processors {
    let row = |name: &str,
               place: &str,
               purpose: &str,
               categories: &[&str],
               at_most: &str,
               live: u64,
               pending: u64,
               state: State| ProcessorRow {
        name: name.into(),
        id: name.to_lowercase(),
        place: place.into(),
        purpose: purpose.into(),
        categories: strings(categories),
        at_most: at_most.into(),
        proof: "deletion call, then a read that must fail".into(),
        contract: "contract of 3 March 2026".into(),
        live: Count(live),
        pending: Count(pending),
        state,
    };
    Processors {
        desk: desk(),
        processors: vec![
            row(
                "FAL.AI",
                "United States",
                "Edits",
                &["input-image", "prompt", "edit-parameters"],
                "24 hours",
                3,
                2,
                State::Broken,
            ),
            row(
                "Cloudflare R2",
                "European Union",
                "Files at rest, ciphertext only",
                &["output-image"],
                "as long as the rule says",
                1_204_551,
                0,
                State::Kept,
            ),
            row("Stripe", "Ireland", "Payments", &["billing"], "10 years", 8_021, 0, State::Kept),
        ],
        tasks: vec![Recipient {
            name: "Stripe".into(),
            says: "Told to erase what it holds; not done yet: it cannot be reached. Next try 22 November 2026, 14:10 UTC, after 3 that failed.".into(),
            state: State::AtRisk,
            at: None,
        }],
        disclosures: vec![DisclosureRow {
            at: at("2026-03-01T10:00:00Z"),
            to: "FAL.AI".into(),
            what: "input-image, prompt".into(),
            ground: "provide-edits".into(),
            state: State::Kept,
            standing: "gone there, api-confirmed".into(),
            proof_href: "/flux-kontext/ledger/40881".into(),
        }],
        handed: vec![HandoverRow {
            at: at("2026-03-01T10:00:00Z"),
            why: "an authority asked, and the law obliges us".into(),
            what: "billing".into(),
            by: "stf_0192f3a47b1c7d2e9a40c1d2e3f40517".into(),
            silent: Some(at("2027-03-01T00:00:00Z")),
            proof_href: "/flux-kontext/ledger/40882".into(),
        }],
        form: Some(HandoverForm {
            whom: String::new(),
            protection: false,
            categories: vec![choice("billing", "Payments", false), choice("account", "Account", false)],
            to: String::new(),
            law: String::new(),
            what: String::new(),
            day: String::new(),
            silent: String::new(),
        }),
        mistakes: Mistakes::default(),
    }
}

fn ledger() -> DeskLedger {
    DeskLedger {
        desk: desk(),
        size: Count(51_288),
        unsigned: Count(3),
        root: "q0Lx8Wv3yJc7bQmTn1rSg5kZ2dHfUeXa9oPiRwYtMsE=".into(),
        signed_at: Some(at("2026-11-22T14:06:00Z")),
        checkpoint: CHECKPOINT.into(),
        verified: State::Kept,
        finding: "51,288 entries, every hash and signature holds.".into(),
        verified_at: Some(at("2026-11-22T13:00:00Z")),
        kinds: vec![choice("", "All kinds", true), choice("erasure.object", "erasure.object", false)],
        from: "2026-11-01".into(),
        to: String::new(),
        rows: ledger_rows(),
        next_href: Some("/flux-kontext/desk/ledger?before=51283".into()),
    }
}

fn reads() -> AccessReview {
    let row = |who: &str, role: &str, category: &str, purpose: &str, refused: Option<&str>| ReadRow {
        at: at("2026-11-22T11:40:00Z"),
        who: who.into(),
        role: role.into(),
        subject: "sub_0192f3a47b1c7d2e9a40c1d2e3f40516".into(),
        category: category.into(),
        purpose: purpose.into(),
        reference: if refused.is_some() { String::new() } else { "R-2026-0147".into() },
        refused: refused.map(Into::into),
        proof_href: Some("/flux-kontext/ledger/51022".into()),
    };
    AccessReview {
        desk: desk(),
        roles: vec![choice("", "All roles", true), choice("support", "support", false)],
        from: "2026-11-01".into(),
        to: String::new(),
        refused_only: false,
        count: Count(1_204),
        refused: Count(3),
        rows: vec![
            row("Support desk", "support", "account", "support", None),
            row(
                "Support desk",
                "support",
                "output-image",
                "support",
                Some("the document lets only the subject read this category"),
            ),
            row("the program", "service", "input-image", "provide-edits", None),
        ],
        csv_href: "/flux-kontext/desk/reads.csv?from=2026-11-01".into(),
        next_href: None,
    }
}
