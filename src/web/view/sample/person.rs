use super::*;

use super::requests::row;

pub(super) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("privacy", html(&centre())),
        (
            "privacy-empty",
            html(&Centre {
                news: vec![],
                holdings: vec![],
                requests: vec![],
                consents: vec![],
                nothing_of: vec![],
                restricted_since: Some(at("2026-11-20T10:00:00Z")),
                mandates: vec![],
                on_hold: vec![],
                closed_since: Some(at("2026-11-19T10:00:00Z")),
                staff_reads: Count(0),
                images: Count(0),
                gpc: true,
                ..centre()
            }),
        ),
        ("agent-asks", html(&agent(true))),
        ("agent-asks-answered", html(&agent(false))),
        ("details", html(&details())),
        ("import", html(&Import { found: Some(brought(false)), ..import() })),
        ("import-taken", html(&Import { found: Some(brought(true)), ..import() })),
        (
            "import-empty",
            html(&Import {
                mistakes: mistakes("archive", "Choose the archive that you took home."),
                ..import()
            }),
        ),
        ("readers", html(&readers())),
        (
            "readers-empty",
            html(&Readers {
                staff: vec![],
                machines: vec![],
                refused: vec![],
                handed: vec![],
                older_href: None,
                ..readers()
            }),
        ),
        ("notices", html(&notices())),
        ("notices-empty", html(&Notices { notices: vec![], ..notices() })),
    ]
}

fn centre() -> Centre {
    let holding = |name: &str,
                   holds: &str,
                   count: u64,
                   size: Option<u64>,
                   goes: &str,
                   next: Option<&str>,
                   href: Option<&str>| Holding {
        name: name.into(),
        holds: holds.into(),
        count: Count(count),
        size: size.map(Size),
        goes: goes.into(),
        next: next.map(at),
        clause_id: "images".into(),
        href: href.map(Into::into),
    };
    let event = |time: &str, says: &str| ConsentEvent {
        at: at(time),
        says: says.into(),
        receipt_href: Some("/flux-kontext/receipts/rct_1".into()),
    };
    Centre {
        shell: Shell {
            flash: Some(Flash {
                state: State::Kept,
                says: "Your name is corrected, and Stripe has been told.".into(),
            }),
            ..person()
        },
        holdings: vec![
            holding(
                "Pictures we made for you",
                "the finished pictures",
                214,
                Some(612_400_000),
                "When you delete them or close your account.",
                None,
                Some("/flux-kontext/images"),
            ),
            holding(
                "Photographs you uploaded",
                "the picture as it arrived, without hidden notes",
                2,
                Some(9_100_000),
                "When the edit has succeeded, after 48 hours at most.",
                Some("2026-11-24T09:00:00Z"),
                None,
            ),
            holding(
                "Your words",
                "what you asked the model for",
                216,
                None,
                "With the picture they made.",
                None,
                None,
            ),
            holding(
                "Use and credits",
                "what each edit cost, and when",
                431,
                None,
                "After 2 years.",
                Some("2027-03-01T00:00:00Z"),
                None,
            ),
            holding(
                "Your account",
                "e-mail address and name",
                1,
                None,
                "30 days after you close it.",
                None,
                Some("/flux-kontext/privacy/details"),
            ),
        ],
        nothing_of: strings(&["payments", "analytics"]),
        consents: vec![
            Consent {
                purpose: "training".into(),
                title: "Train models with my pictures".into(),
                means: Markup::trusted(
                    "<p>Your pictures and words may be used to make the models better. When you switch it off, they leave the next training set.</p>",
                ),
                on: false,
                by_objection: false,
                overruled: None,
                history: vec![
                    event("2026-11-22T13:58:00Z", "you switched it off"),
                    event("2026-06-01T08:00:00Z", "you switched it on"),
                ],
            },
            Consent {
                purpose: "analytics".into(),
                title: "Count how I use the service".into(),
                means: Markup::trusted(
                    "<p>Which buttons are used, and how often. Never what is in a picture.</p>",
                ),
                on: true,
                by_objection: false,
                overruled: None,
                history: vec![event("2026-06-01T08:00:00Z", "you switched it on")],
            },
        ],
        requests: vec![
            row("R-2026-0147", "Take my data home", "Ready to download", State::Kept),
            row("R-2026-0152", "Look into something that is wrong", "Being looked at", State::Waiting),
        ],
        mandates: vec![MandateRow {
            id: "mnd_019aab12c0007000800000000000000a".into(),
            agent: "Rights for All".into(),
            contact: "cases@agent.example".into(),
            rights: "See what is held, Have everything erased".into(),
            says: "Until 30 June 2027. They are told how your requests stand.".into(),
            holds: true,
        }],
        restricted_since: None,
        closed_since: None,
        on_hold: vec![
            "What: Payments and invoices. Why: A court ordered us to keep them. (Case 12 O 44/26). We look at it again by \
             1 February 2027, 12:00 UTC."
                .into(),
        ],
        news: vec![versions::news()],
        staff_reads: Count(1),
        images: Count(214),
        gpc: false,
        promised: "72 hours".into(),
    }
}

fn details() -> Details {
    let field = |id: &str, label: &str, hint: &str, value: &str, kind: &str| DetailField {
        id: id.into(),
        label: label.into(),
        hint: hint.into(),
        value: value.into(),
        kind: kind.into(),
        autocomplete: id.into(),
    };
    Details {
        shell: person(),
        fields: vec![
            field("name", "Name", "What we call you.", "Someone", "text"),
            field(
                "email",
                "E-mail address",
                "We send a link to the new address before it counts.",
                "someone@example",
                "email",
            ),
        ],
        history: vec![Correction {
            at: at("2026-10-01T10:00:00Z"),
            says: "You changed your name.".into(),
            told: "Stripe, 1 October 2026".into(),
        }],
        mistakes: mistakes("email", "Enter a whole address, like name@example.org."),
    }
}

fn read(who: &str, what: &str, why: &str) -> Read {
    Read {
        at: at("2026-11-20T12:05:00Z"),
        who: who.into(),
        what: what.into(),
        why: why.into(),
        proof_href: Some("/flux-kontext/ledger/51022".into()),
    }
}

fn readers() -> Readers {
    Readers {
        shell: person(),
        staff: vec![read("Support staff", "your account details", "To answer your request R-2026-0147.")],
        machines: vec![ReadSum {
            who: "Flux Kontext, to show you your gallery".into(),
            count: Count(88),
            last: at("2026-11-22T14:00:00Z"),
        }],
        refused: vec![read(
            "Support staff",
            "a picture",
            "The policy lets nobody but you open your pictures.",
        )],
        handed: vec![HandedOver {
            at: at("2026-03-01T10:00:00Z"),
            to: "Landgericht Berlin".into(),
            what: "payments".into(),
            why: "an authority asked, and the law obliges us: Order 12 O 44/26".into(),
        }],
        older_href: None,
    }
}

fn notices() -> Notices {
    Notices {
        shell: person(),
        notices: vec![
            Notice {
                id: "n-2".into(),
                at: at("2026-11-20T12:12:00Z"),
                title: "Your data are ready to take home".into(),
                text: Markup::trusted("<p>The archive can be downloaded until 20 December 2026.</p>"),
                read: false,
                href: Some("/flux-kontext/privacy/requests/R-2026-0147".into()),
                action: "Go to the request".into(),
            },
            Notice {
                id: "n-1".into(),
                at: at("2026-04-20T08:00:00Z"),
                title: "The privacy policy changes on 5 May 2026".into(),
                text: Markup::trusted(
                    "<p>Uploads will stay 48 hours at most; now it is 72. Nothing else changes for you.</p>",
                ),
                read: true,
                href: Some("/flux-kontext/policy".into()),
                action: "Read the policy".into(),
            },
        ],
    }
}

fn import() -> Import {
    Import {
        shell: person(),
        most: Size(2 << 30),
        input_at_most: "48 hours".into(),
        found: None,
        mistakes: Mistakes::default(),
    }
}

fn brought(taken: bool) -> ImportFound {
    ImportFound {
        taken,
        already: false,
        service: "OpusFlair".into(),
        made: at("2026-11-20T10:00:00Z"),
        reference: "PR-7K2M-9QRT".into(),
        signer: "pictures.example/take-home".into(),
        signed_here: false,
        rows: vec![
            ImportRow { what: "Pictures".into(), new: Count(212), here: Count(2), refused: Count(1) },
            ImportRow { what: "Prompts".into(), new: Count(180), here: Count(0), refused: Count(0) },
        ],
        left: "account, credits, consents".into(),
        entry: taken.then(|| "ent_019aab12c0007000800000000000000a".into()),
    }
}

fn agent(waits: bool) -> AgentAsks {
    AgentAsks {
        shell: person(),
        id: "019aab12-c000-7000-8000-00000000000a".into(),
        agent: "Permission Slip".into(),
        site: "https://agent.example".into(),
        erases: waits,
        waits,
        until: at("2026-12-22T10:00:00Z"),
        reference: "PR-7K2M-9QRT".into(),
        back: String::new(),
        step_up: waits,
    }
}
