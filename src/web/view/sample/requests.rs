use super::*;

pub(super) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("question", html(&question())),
        ("check", html(&check())),
        ("filed", html(&filed())),
        ("status", html(&status())),
        ("status-refused", html(&refused())),
        ("status-unconfirmed", html(&unconfirmed())),
        ("erase", html(&erase())),
        (
            "erase-empty",
            html(&Erase {
                images: Count(0),
                goes: vec![fact("Your account", "e-mail address")],
                elsewhere: vec![],
                stays: vec![],
                take_back: None,
                step_up: false,
                open_access: None,
                ..erase()
            }),
        ),
        ("erased", html(&erased())),
        ("erase-set", html(&Erased { scheduled_for: Some(at("2026-11-25T14:00:00Z")), ..erased() })),
    ]
}

pub(super) fn row(reference: &str, title: &str, status: &str, state: State) -> RequestRow {
    let met = (state == State::Kept).then(|| at("2026-11-20T12:12:00Z"));
    RequestRow {
        reference: reference.into(),
        title: title.into(),
        filed: at("2026-11-20T09:12:00Z"),
        status: status.into(),
        state,
        promise: Clock { due: at("2026-11-23T09:12:00Z"), met },
        law: Clock { due: at("2026-12-21T23:00:00Z"), met },
    }
}

fn question() -> RequestQuestion {
    RequestQuestion {
        shell: person(),
        right: "objection".into(),
        question: "What should we stop doing?".into(),
        explains: strings(&[
            "These are things we do without asking first, because the law lets us weigh our interest against yours. You can say no, and we stop at once.",
        ]),
        choices: vec![
            choice("analytics", "Counting how I use the service", true),
            choice("improvement", "Using my edits to find faults in the service", false),
        ],
        many: true,
        text_label: Some("Anything we should know?".into()),
        text_hint: "You need not write anything.".into(),
        text: String::new(),
        promised: "72 hours".into(),
        mistakes: Mistakes::default(),
    }
}

fn check() -> RequestCheck {
    RequestCheck {
        shell: person(),
        right: "access".into(),
        title: "Take my data home".into(),
        answers: vec![fact("What", "Everything you hold about me"), fact("How", "One ZIP, to download here")],
        carry: vec![fact("choice", "all")],
        next: strings(&[
            "We gather everything from every place it lies, our partners included.",
            "You get a mail when it is ready, usually within a minute.",
            "You download it here, signed in. It never travels by mail.",
        ]),
        promised_by: at("2026-11-25T14:07:00Z"),
        law_by: at("2026-12-22T23:00:00Z"),
        button: "File this request".into(),
        step_up: true,
    }
}

fn filed() -> RequestFiled {
    RequestFiled {
        shell: person(),
        reference: "R-2026-0153".into(),
        title: "Take my data home".into(),
        next: check().next,
        promised_by: at("2026-11-25T14:07:00Z"),
        law_by: at("2026-12-22T23:00:00Z"),
        mail_to: "s…@example.org".into(),
    }
}

fn status() -> RequestStatus {
    RequestStatus {
        shell: person(),
        row: row("R-2026-0147", "Take my data home", "Ready to download", State::Kept),
        says: "Everything we hold about you is in one archive. It is put together while you download it, so no copy of it lies anywhere.".into(),
        steps: vec![
            step("Filed", "2026-11-20T09:12:00Z", ""),
            step("Your identity is proved", "2026-11-20T09:12:04Z", "You were signed in. Nothing more was needed."),
            step("Gathered", "2026-11-20T12:11:00Z", "6 places, 649 items"),
            step("Answered", "2026-11-20T12:12:00Z", ""),
            step_now("Waiting for you to download it", ""),
        ],
        archive: Some(ArchiveReady {
            href: "/flux-kontext/privacy/requests/R-2026-0147/archive".into(),
            file_name: "flux-kontext-R-2026-0147.zip".into(),
            size: Size(618_300_000),
            inside: vec![fact("Pictures", "214"), fact("Tables", "12, each as JSON and CSV"), fact("The law’s list", "who has what, why, and for how long"), fact("Who read your data", "1 read by staff"), fact("Proof", "a signed list of every file")],
            until: at("2026-12-20T12:12:00Z"),
            taken: None,
        }),
        recipients: vec![Recipient { name: "Stripe".into(), says: "Gave us 14 rows for you.".into(), state: State::Kept, at: Some(at("2026-11-20T11:40:00Z")) }, Recipient { name: "FAL.AI".into(), says: "Holds nothing of yours.".into(), state: State::Kept, at: Some(at("2026-11-20T11:40:10Z")) }],
        stays: vec![],
        answer: vec![],
        remedy: None,
        receipt_href: Some("/flux-kontext/receipts/rct_1".into()),
        can_confirm: false,
        step_up: false,
        can_withdraw: false,
        reload: false,
    }
}

fn unconfirmed() -> RequestStatus {
    RequestStatus {
        row: row("R-2026-0155", "Erase my account", "Waiting for you to show that it is you", State::Waiting),
        says:
            "Nothing is done before you confirm that it is you who asks. So nobody else can ask in your name."
                .into(),
        steps: vec![
            step("An agent asked for it in your name", "2026-11-20T09:12:00Z", ""),
            step_now("Waiting for you", ""),
        ],
        archive: None,
        recipients: vec![],
        receipt_href: None,
        can_confirm: true,
        step_up: true,
        can_withdraw: true,
        ..status()
    }
}

fn refused() -> RequestStatus {
    RequestStatus {
        row: row("R-2026-0152", "Erase my invoices", "Refused in part", State::Attested),
        says: "We erased what we may. The rest stays for the reason below.".into(),
        archive: None,
        stays: stays(),
        answer: strings(&["Tax law obliges us to keep invoices for ten years. We have taken out everything that an invoice need not show."]),
        remedy: Some("If you think this is wrong, you can complain to the data protection authority where you live, and you can go to court.".into()),
        receipt_href: None,
        can_withdraw: true,
        ..status()
    }
}

fn stays() -> Vec<Stays> {
    vec![Stays {
        what: "3 invoices".into(),
        why: "Tax law obliges us to keep them: § 147 AO. Name, address and amount stay, nothing else.".into(),
        until: Some(at("2036-12-31T00:00:00Z")),
    }]
}

fn erase() -> Erase {
    Erase {
        shell: person(),
        images: Count(214),
        goes: vec![
            fact("Pictures", "214, with their small versions"),
            fact("Photographs uploaded", "2"),
            fact("Words you wrote", "216"),
            fact("Use and credits", "431 rows, 37 credits left"),
            fact("Your account", "e-mail address and name"),
        ],
        elsewhere: strings(&[
            "Stripe is told to delete you as a customer.",
            "FAL.AI holds nothing of yours any more; we ask once again.",
        ]),
        stays: stays(),
        take_back: Some(at("2026-11-25T14:07:00Z")),
        backups_unreadable: at("2026-12-22T00:00:00Z"),
        step_up: true,
        open_access: Some("R-2026-0147".into()),
        mistakes: Mistakes::default(),
    }
}

fn erased() -> Erased {
    Erased {
        done: true,
        shell: nobody(),
        scheduled_for: None,
        at: at("2026-11-22T14:02:00Z"),
        reference: "R-2026-0153".into(),
        erased: vec![
            fact("Pictures", "214"),
            fact("Words you wrote", "216"),
            fact("Use and credits", "431 rows"),
            fact("Your account", "e-mail address and name"),
        ],
        verified: vec![
            fact("Main database", "0 rows left"),
            fact("Files", "0 of 430 left"),
            fact("Keys", "destroyed"),
        ],
        elsewhere: vec![Recipient {
            name: "Stripe".into(),
            says: "Told to erase what it holds; done, and read back.".into(),
            state: State::Kept,
            at: Some(at("2026-11-22T14:01:30Z")),
        }],
        stays: stays(),
        seal: Some(seal()),
        receipt_href: Some("/flux-kontext/receipts/rct_0192".into()),
        receipt_file: "receipt-0192f3a4.json".into(),
        verifier_key: "vouchsafe.example/ledger+1a2b3c4d+AZ+4Kb9xQ0v1n6c2Yq8sT3rJ7mW5uE0pL4hD9gF2aX1k".into(),
        proofs: vec![
            StepProof {
                says: "From here on nothing of yours was read or written.",
                at: Some(at("2026-11-22T14:01:58Z")),
                href: Some("/flux-kontext/ledger/4810".into()),
            },
            StepProof {
                says: "With the keys of that time, what old backups held is unreadable too.",
                at: None,
                href: None,
            },
        ],
    }
}
