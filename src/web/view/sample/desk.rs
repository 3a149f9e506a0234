use super::*;

pub(super) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("desk", html(&overview())),
        (
            "desk-quiet",
            html(&Overview { desk: quiet_desk(), due: vec![], promises: vec![], jobs: vec![], ..overview() }),
        ),
        ("desk-requests", html(&queue())),
        ("desk-requests-empty", html(&Queue { count: Count(0), rows: vec![], next_href: None, ..queue() })),
        ("desk-request", html(&request())),
        ("desk-request-new", html(&new_request())),
        ("desk-people", html(&people())),
        ("desk-look", html(&look(false))),
        ("desk-look-waits", html(&look(true))),
        ("desk-people-none", html(&People { found: Some(vec![]), ..people() })),
        (
            "desk-sign-in",
            html(&StaffSignIn {
                shell: nobody(),
                email: String::new(),
                provider: None,
                mistakes: Mistakes::default(),
            }),
        ),
        (
            "desk-sign-in-provider",
            html(&StaffSignIn {
                shell: nobody(),
                email: String::new(),
                provider: Some(provider()),
                mistakes: Mistakes::default(),
            }),
        ),
        ("desk-factor-new", html(&factor_new())),
        ("desk-factor", html(&factor(false))),
        ("desk-factor-again", html(&factor(true))),
        (
            "desk-factor-provider",
            html(&FactorAsked { has_code: false, mistakes: Mistakes::default(), ..factor(true) }),
        ),
        (
            "desk-factor-codes",
            html(&FactorCodes {
                shell: nobody(),
                codes: vec!["7KX2-M9QW-MT4B-0ZRE".into(); 10],
                renewed: false,
                held_until: Some(at("2026-11-25T14:07:00Z")),
                next: "/flux-kontext/desk".into(),
            }),
        ),
        (
            "desk-factor-renewal",
            html(&FactorRenewal { shell: nobody(), codes_left: 3, mistakes: Mistakes::default() }),
        ),
        ("desk-come-in", html(&ComeIn { shell: nobody(), next: "/flux-kontext/desk".into() })),
        (
            "desk-mail-sent",
            html(&StaffMailSent {
                shell: nobody(),
                email: "someone@example.org".into(),
                lives: "15 minutes".into(),
                development_link: Some("/flux-kontext/desk/sign-in/confirm?token=x".into()),
            }),
        ),
    ]
}

fn provider() -> ProviderDoor {
    ProviderDoor { name: "Example Works".into(), href: "/flux-kontext/desk/sign-in/oidc".into() }
}

fn factor_new() -> FactorNew {
    FactorNew {
        shell: nobody(),
        code: qr("otpauth://totp/Flux:someone@example.org?secret=GEZDGNBVGY3TQOJQ", "A QR code"),
        secret: grouped("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        replaces: true,
        next: "/flux-kontext/desk".into(),
        mistakes: mistakes("code", "This code is not right."),
    }
}

fn factor(again: bool) -> FactorAsked {
    FactorAsked {
        shell: nobody(),
        action: "/flux-kontext/desk/holds".into(),
        carried: vec![("reason".into(), "A \"claim\" <b>".into())],
        again,
        has_code: true,
        codes_left: 9,
        provider: again.then(provider),
        mistakes: if again {
            mistakes("factor-code", "This code is not right.")
        } else {
            Mistakes::default()
        },
    }
}

fn queue_row(n: u32, right: &str, status: &str, promise: &str, stuck: Option<&str>) -> QueueRow {
    QueueRow {
        reference: format!("R-2026-{n:04}"),
        right: right.into(),
        status: status.into(),
        channel: if n.is_multiple_of(3) { "mail" } else { "page" }.into(),
        received: at("2026-11-20T09:12:00Z"),
        promise: Clock { due: at(promise), met: None },
        law: Clock { due: at("2026-12-21T23:00:00Z"), met: None },
        holder: if n.is_multiple_of(2) { String::new() } else { "Compliance desk".into() },
        stuck: stuck.map(Into::into),
    }
}

fn queue_rows() -> Vec<QueueRow> {
    vec![
        queue_row(
            147,
            "Erasure",
            "Notifying recipients",
            "2026-11-22T10:12:00Z",
            Some("FAL.AI has not confirmed the deletion. Next try in 12 minutes."),
        ),
        queue_row(150, "Access", "Collecting", "2026-11-22T22:00:00Z", None),
        queue_row(151, "Rectification", "Being reviewed", "2026-11-23T06:40:00Z", None),
        queue_row(152, "Objection", "Acknowledged", "2026-11-24T12:00:00Z", None),
        queue_row(153, "Portability", "Acknowledged", "2026-11-25T09:30:00Z", None),
    ]
}

pub(super) fn promise_rows() -> Vec<PromiseRow> {
    let row =
        |number: &str, clause: &str, promise: &str, rule: &str, state: State, figure: &str| PromiseRow {
            number: number.into(),
            clause: clause.into(),
            clause_id: "partners".into(),
            promise: promise.into(),
            kind: "processor".into(),
            rule: rule.into(),
            state,
            figure: figure.into(),
            checked: Some(at("2026-11-22T14:05:00Z")),
            proof_href: Some("/flux-kontext/ledger/51260".into()),
            href: format!("/flux-kontext/desk/promises/{rule}"),
        };
    vec![
        row(
            "4",
            "Who works for us",
            "FAL.AI deletes its copy when the edit is done",
            "processor.fal-ai",
            State::Broken,
            "2 deletions unproved after 24 hours",
        ),
        PromiseRow {
            checked: None,
            proof_href: None,
            ..row(
                "5",
                "Audits",
                "a security audit every year",
                "attestation.audit",
                State::Overdue,
                "due 2 October 2026",
            )
        },
        row(
            "2.1",
            "Photographs you upload",
            "gone after 48 hours at most",
            "retention.input-image",
            State::AtRisk,
            "oldest is 46 hours 12 minutes old",
        ),
        row(
            "6",
            "Your rights",
            "answered within 72 hours",
            "right.access",
            State::Kept,
            "412 of 412, slowest 31 hours",
        ),
    ]
}

fn overview() -> Overview {
    let figure = |name: &str, value: &str, note: &str, state: State| Figure {
        name: name.into(),
        value: value.into(),
        note: note.into(),
        state,
        href: "/flux-kontext/desk/retention".into(),
    };
    Overview {
        desk: desk(),
        figures: vec![
            figure("Requests open", "5", "1 past our promise", State::Broken),
            figure("Overdue for erasure", "0", "of 48,210 under a rule", State::Kept),
            figure("Promises kept", "21 of 24", "1 broken, 1 at risk, 1 overdue", State::AtRisk),
            figure("Failed jobs", "1", "waits for a hand", State::Broken),
            figure("Ledger", "51,288", "signed 1 minute ago, verified", State::Kept),
        ],
        due: queue_rows(),
        promises: promise_rows().into_iter().take(3).collect(),
        jobs: vec![FailedJob {
            id: "job_1".into(),
            kind: "provider.delete".into(),
            tries: Count(9),
            cause: "FAL.AI answers 500 to the deletion.".into(),
            next: None,
        }],
        codes_left: Some(9),
    }
}

fn queue() -> Queue {
    Queue {
        desk: desk(),
        rights: vec![
            choice("", "All rights", true),
            choice("access", "Access", false),
            choice("erasure", "Erasure", false),
        ],
        states: vec![
            choice("open", "All open", true),
            choice("late", "Past our promise", false),
            choice("closed", "Closed", false),
        ],
        count: Count(5),
        rows: queue_rows(),
        letters: vec![LetterRow {
            received: at("2026-11-22T09:12:00Z"),
            right: "Erasure".into(),
            proof: "DKIM aligned, DMARC pass, SPF none".into(),
            until: at("2026-11-24T09:12:00Z"),
            again: Count(1),
        }],
        next_href: Some("/flux-kontext/desk/requests?after=153".into()),
    }
}

fn request() -> RequestDetail {
    let action = |id: &str, button: &str, explains: &str, needs_reason: bool, grave: bool| Action {
        id: id.into(),
        button: button.into(),
        explains: explains.into(),
        needs_reason,
        fields: Vec::new(),
        grounds: if grave {
            vec![choice("manifestly-excessive", "Manifestly unfounded or excessive, Art. 12(5) GDPR", false)]
        } else {
            vec![]
        },
        four_eyes: grave,
        grave,
    };
    RequestDetail {
        desk: desk(),
        row: queue_rows().remove(0),
        subject: "sub_0192f3a47b1c7d2e9a40c1d2e3f40516".into(),
        identity: vec![
            fact("Method", "link to the address on file"),
            fact("Proved", "20 November 2026, 09:14 UTC"),
        ],
        asked: vec![fact("Scope", "everything"), fact("Governing law", "GDPR, rule pack eu-2026-1")],
        words: Some("Please erase everything you have of me.".into()),
        read_href: None,
        reason_wanted: false,
        proposal: Some(Proposed {
            at: at("2026-11-21T10:00:00Z"),
            by: "stf_0192f3a4".into(),
            ground: "Manifestly unfounded or excessive, Art. 12(5) GDPR".into(),
            says: "This is the ninth request of this kind this week.".into(),
        }),
        internal_due: at("2026-12-14T23:00:00Z"),
        steps: vec![
            step("Received", "2026-11-20T09:12:00Z", "by mail, DKIM holds"),
            step("Acknowledged", "2026-11-20T09:12:02Z", ""),
            step("Identity proved", "2026-11-20T09:14:00Z", ""),
            step("Key destroyed", "2026-11-20T09:15:00Z", "ledger entry 51,020"),
            step("Looked through by the second path", "2026-11-20T09:20:00Z", "nothing found in 6 places"),
            step_now("Recipients are told", "FAL.AI is missing"),
            step("Closed with a receipt", "", ""),
        ],
        stores: vec![
            fact("Main database", "0 rows left"),
            fact("Files", "0 of 430 left"),
            fact("Keystore", "destroyed"),
        ],
        recipients: vec![
            Recipient {
                name: "Stripe".into(),
                says: "Deleted the customer.".into(),
                state: State::Kept,
                at: Some(at("2026-11-20T09:21:00Z")),
            },
            Recipient {
                name: "FAL.AI".into(),
                says: "Has not confirmed. Tried 9 times.".into(),
                state: State::Broken,
                at: None,
            },
        ],
        stays: vec![Stays {
            what: "3 invoices".into(),
            why: "§ 147 AO".into(),
            until: Some(at("2036-12-31T00:00:00Z")),
        }],
        notes: vec![Note {
            at: at("2026-11-22T11:00:00Z"),
            by: "Compliance desk".into(),
            says: "Wrote to FAL.AI’s privacy desk.".into(),
        }],
        actions: vec![
            action("retry", "Ask FAL.AI again", "Runs the stuck step once more, now.", false, false),
            action(
                "extend",
                "Extend by two months",
                "Only once, and only for a complex request. The person is told the reason and the new date.",
                true,
                false,
            ),
            action(
                "refuse",
                "Refuse",
                "The letter names the reason, the authority and the court.",
                true,
                true,
            ),
        ],
        receipt_href: None,
        mistakes: Mistakes::default(),
    }
}

fn new_request() -> RequestDetail {
    RequestDetail {
        desk: quiet_desk(),
        row: queue_rows().remove(4),
        identity: vec![],
        stores: vec![],
        recipients: vec![],
        stays: vec![],
        notes: vec![],
        actions: vec![],
        receipt_href: Some("/flux-kontext/receipts/rct_1".into()),
        words: None,
        read_href: Some("/flux-kontext/desk/requests/R-2026-0153?read=yes".into()),
        proposal: None,
        ..request()
    }
}

fn look(waits: bool) -> Look {
    let looked = Looked {
        at: at("2026-11-20T09:00:00Z"),
        facts: vec![fact("email", "someone@example.org"), fact("language", "en")],
    };
    Look {
        desk: desk(),
        subject: "sub_0192f3a47b1c7d2e9a40c1d2e3f40516".into(),
        title: "Account details".into(),
        purpose: "Answering your questions".into(),
        what: "account support".into(),
        waits,
        things: if waits { vec![] } else { vec![looked] },
        more: false,
    }
}

fn people() -> People {
    People {
        desk: desk(),
        query: "someone@example.org".into(),
        found: Some(vec![PersonRow {
            subject: "sub_0192f3a47b1c7d2e9a40c1d2e3f40516".into(),
            since: at("2025-06-01T00:00:00Z"),
            last_active: Some(at("2026-11-22T13:00:00Z")),
            holdings: vec![fact("output-image", "214"), fact("prompt", "216"), fact("account", "1")],
            restricted: true,
            held: true,
            requests: strings(&["R-2026-0147", "R-2026-0152"]),
        }]),
        looks: vec![Choice {
            value: "account support".into(),
            says: "Account details, for: Answering your questions".into(),
            chosen: false,
        }],
        waiting: vec![LookWaiting {
            id: "rec_0192f3a47b1c7d2e9a40c1d2e3f40516".into(),
            staff: "stf_0192f3a4".into(),
            subject: "sub_0192f3a47b1c7d2e9a40c1d2e3f40516".into(),
            purpose: "security".into(),
            at: at("2026-11-22T13:00:00Z"),
        }],
        mistakes: Mistakes::default(),
    }
}
