use super::*;

pub(super) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("home", html(&home())),
        (
            "home-empty",
            html(&Home { tenants: vec![], demo: vec![], signed_at: None, ledger_size: Count(0), ..home() }),
        ),
        ("policy", html(&policy())),
        ("policy-first", html(&first_policy())),
        ("sign-in", html(&sign_in())),
        (
            "sign-in-mistake",
            html(&SignIn {
                email: "someone.example.org".into(),
                mistakes: mistakes("email", "Enter an address with an @ in it, like name@example.org."),
                ..sign_in()
            }),
        ),
        ("mail-sent", html(&mail_sent())),
        ("sign-in-confirm", html(&confirm())),
        ("sign-up", html(&sign_up())),
        ("letter", html(&letter())),
        (
            "letter-mistake",
            html(&LetterConfirm {
                words: String::new(),
                mistakes: mistakes("choice", "Choose one of these."),
                ..letter()
            }),
        ),
        ("agent", html(&agent())),
        (
            "agent-mistake",
            html(&AgentForm { mistakes: mistakes("until", "Enter a day like 2027-06-30."), ..agent() }),
        ),
        ("mandate", html(&mandate())),
        ("mandate-plain", html(&MandateQuestion { words: String::new(), tells: false, ..mandate() })),
        ("letter-filed", html(&letter_done())),
        ("letter-nobody", html(&LetterDone { filed: None, ..letter_done() })),
        ("receipt", html(&receipt())),
        ("ledger", html(&ledger())),
        ("ledger-empty", html(&empty_ledger())),
        ("error", html(&error())),
    ]
}

fn home() -> Home {
    Home {
        shell: house(),
        tenants: vec![
            TenantCard {
                brand: "Flux Kontext".into(),
                root: "/flux-kontext".into(),
                does: "Edits photographs by words, with Kontext Pro and Max.".into(),
                state: State::Kept,
                standing: "24 of 24 promises kept".into(),
                effective: at("2026-05-05T00:00:00Z"),
            },
            TenantCard {
                brand: "OpusFlair".into(),
                root: "/opusflair".into(),
                does: "Turns photographs into artwork in a style of your choice.".into(),
                state: State::AtRisk,
                standing: "21 of 22 promises kept".into(),
                effective: at("2026-05-05T00:00:00Z"),
            },
        ],
        ledger_size: Count(51_288),
        signed_at: Some(at("2026-11-22T14:06:00Z")),
        demo: vec![
            DemoDoor {
                who: "A person at Flux Kontext".into(),
                try_this: "Upload a photograph, have it edited, take everything home, erase it.".into(),
                href: "/flux-kontext/sign-in/confirm?token=demo".into(),
            },
            DemoDoor {
                who: "Compliance staff at Flux Kontext".into(),
                try_this: "See the queue and its clocks, the retention board and the ledger.".into(),
                href: "/flux-kontext/desk/sign-in/confirm?token=demo".into(),
            },
        ],
    }
}

fn note(state: State, figure: &str, checked: Option<&str>, proof: Option<u64>) -> MarginNote {
    MarginNote {
        state,
        figure: figure.into(),
        checked: checked.map(at),
        proof: proof.map(|n| ProofLink { index: Count(n), href: format!("/flux-kontext/ledger/{n}") }),
    }
}

fn clause(number: &str, id: &str, heading: &str, prose: &str, notes: Vec<MarginNote>, rules: &str) -> Clause {
    Clause {
        id: id.into(),
        number: number.into(),
        level: if number.contains('.') { 3 } else { 2 },
        heading: heading.into(),
        prose: Markup::trusted(prose),
        notes,
        rules: rules.into(),
        rule_count: Count(rules.matches("\n[").count() as u64 + u64::from(rules.starts_with('['))),
    }
}

const JUST: Option<&str> = Some("2026-11-22T14:05:00Z");

fn clauses() -> Vec<Clause> {
    vec![
        clause(
            "1",
            "account",
            "Your account",
            "<p>To open an account you give us an e-mail address and, if you like, a name. We use them to let you in, to take payments, to keep count of your credits, and to answer you.</p><p>We keep them while your account is open, and for 30 days after you close it, in case you change your mind.</p>",
            vec![note(State::Kept, "0 of 1,204 closed accounts older than 30 days", JUST, Some(51_201))],
            "[category.account]\nholds = \"name, e-mail address, user name, proof of sign-in\"\nsource = \"provided\"\nbasis = \"contract\"\n\n[retention.account]\ncategory = \"account\"\nerase-when = \"30 days after account.closed\"\n",
        ),
        clause(
            "2",
            "images",
            "Your pictures",
            "<p>What you upload and what we make for you is yours. Nobody but you can open it; staff cannot, and we do not sell or show it to anyone.</p>",
            vec![note(State::Kept, "0 reads by staff, 3 refused, in 30 days", JUST, Some(51_198))],
            "[access.output-image]\ncategory = \"output-image\"\nreaders = [\"subject\"]\n",
        ),
        clause(
            "2.1",
            "input-images",
            "Photographs you upload",
            "<p>We hold a photograph only to edit it. It is gone when your edit has succeeded, and in any case 48 hours after it arrived. Before anything else happens, we take out the place, the camera and the other hidden notes in the file.</p>",
            vec![
                note(State::Kept, "0 of 48,210 older than 48 hours", JUST, Some(51_287)),
                note(State::AtRisk, "oldest is 46 hours 12 minutes old", JUST, None),
            ],
            "[retention.input-image]\ncategory = \"input-image\"\nerase-when = \"edit.succeeded\"\nat-most = \"48h after uploaded\"\n",
        ),
        clause(
            "2.2",
            "output-images",
            "Pictures we make for you",
            "<p>They stay in your gallery until you delete them or close your account. When you delete one, its key is destroyed in the same second, so that a backup cannot bring it back.</p>",
            vec![note(State::Kept, "12,044 deleted on request, all within 1 second", JUST, Some(51_190))],
            "[retention.output-image]\ncategory = \"output-image\"\nerase-when = \"deleted by subject, account.closed\"\n",
        ),
        clause(
            "3",
            "training",
            "No training without your word",
            "<p>Your pictures and your words train no model, ours or another’s, unless you switch that on yourself. It is off to begin with. When you switch it off again, your data leave the next training set.</p>",
            vec![note(State::Kept, "0 items of people who have not agreed", JUST, Some(50_880))],
            "[purpose.training]\nbasis = \"explicit-consent\"\ndefault = \"off\"\n",
        ),
        clause(
            "4",
            "partners",
            "Who works for us",
            "<p>Edits run at FAL.AI. Files lie, encrypted, at Cloudflare R2. Payments go through Stripe. Nobody else receives anything, and FAL.AI deletes its copy when the edit is done.</p>",
            vec![
                note(State::Broken, "2 deletions at FAL.AI unproved after 24 hours", JUST, Some(51_260)),
                note(
                    State::Attested,
                    "contracts reviewed 3 March 2026, next 3 March 2027",
                    None,
                    Some(40_112),
                ),
            ],
            "[processor.fal-ai]\nplace = \"United States\"\ncategories = [\"input-image\", \"prompt\"]\nlives-at-most = \"24h\"\n\n[processor.cloudflare-r2]\nplace = \"European Union\"\ncategories = [\"output-image\"]\n",
        ),
        clause(
            "5",
            "audits",
            "Audits",
            "<p>People outside the company look at our security once a year, and we publish that they did.</p>",
            vec![note(State::Overdue, "last audit 2 October 2025, due 2 October 2026", None, Some(20_004))],
            "[attestation.audit]\nowner = \"security\"\nevery = \"12 months\"\n",
        ),
        clause(
            "6",
            "rights",
            "Your rights",
            "<p>You can see your data, take them home, correct them, have them erased, pause their use, object, and take a consent back. You do it on your <a href=\"/flux-kontext/privacy\">privacy page</a>. You get an answer within 72 hours.</p><ul><li>It costs nothing.</li><li>You need no reason.</li></ul>",
            vec![
                note(State::Kept, "412 of 412 answered within 72 hours, slowest 31", JUST, Some(51_240)),
                note(State::Waiting, "restriction has not been asked for yet", None, None),
            ],
            "[right.access]\nanswered-within = \"72h\"\n",
        ),
        clause(
            "7",
            "contact",
            "How to reach us",
            "<p>Write to the address below. It goes to people who answer.</p>",
            vec![],
            "",
        ),
    ]
}

fn policy() -> PolicyPage {
    PolicyPage {
        shell: nobody(),
        title: "Privacy policy".into(),
        controller: "Flux Kontext".into(),
        preamble: Markup::trusted(
            "<p>Flux Kontext edits photographs by words. This page says what we hold while doing so, for how long, and who sees it. It is also the program that keeps it: the margin says whether it does.</p>",
        ),
        effective: at("2026-05-05T00:00:00Z"),
        version: "2026-05-05".into(),
        upcoming: Some(versions::upcoming()),
        hash: seal().hex(),
        published: Some(ProofLink { index: Count(12), href: "/flux-kontext/ledger/12".into() }),
        in_force: true,
        tally: vec![
            Tally { state: State::Broken, count: Count(1) },
            Tally { state: State::Overdue, count: Count(1) },
            Tally { state: State::AtRisk, count: Count(1) },
            Tally { state: State::Kept, count: Count(18) },
            Tally { state: State::Attested, count: Count(2) },
            Tally { state: State::Waiting, count: Count(1) },
        ],
        checked: Some(at("2026-11-22T14:05:00Z")),
        clauses: clauses(),
        changes: vec![
            Change {
                kind: "Shorter".into(),
                says: "Uploads stay 48 hours at most; before, it was 72.".into(),
                clause: Some("input-images".into()),
            },
            Change {
                kind: "New recipient".into(),
                says: "Files lie at Cloudflare R2.".into(),
                clause: Some("partners".into()),
            },
        ],
        earlier: vec![Version {
            version: "2025-09-01".into(),
            effective: at("2025-09-01T00:00:00Z"),
            until: Some(at("2026-05-05T00:00:00Z")),
            hash: seal().hex(),
            href: "/flux-kontext/policy/2025-09-01".into(),
        }],
        contact: "privacy@example.org".into(),
        source_href: "/flux-kontext/policy.md".into(),
    }
}

fn first_policy() -> PolicyPage {
    PolicyPage {
        changes: vec![],
        earlier: vec![],
        upcoming: None,
        checked: None,
        published: None,
        tally: vec![Tally { state: State::Waiting, count: Count(24) }],
        ..policy()
    }
}

fn sign_in() -> SignIn {
    SignIn { shell: nobody(), email: String::new(), next: "/privacy".into(), mistakes: Mistakes::default() }
}

fn mail_sent() -> MailSent {
    MailSent {
        shell: nobody(),
        email: "someone@example.org".into(),
        opens: false,
        lives: "15 minutes".into(),
        development_link: Some("/flux-kontext/sign-in/confirm?token=4f1c".into()),
    }
}

fn letter() -> LetterConfirm {
    let choice = |value: &str, says: &str, chosen| Choice { value: value.into(), says: says.into(), chosen };
    LetterConfirm {
        shell: nobody(),
        token: "4f1c".into(),
        received: at("2026-11-22T09:12:00Z"),
        until: at("2026-11-24T09:12:00Z"),
        choices: vec![
            choice("access", "Take my data home", false),
            choice("erasure", "Erase my account", true),
            choice("objection:analytics", "Object to “Analytics”", false),
        ],
        words: "Please delete my account and everything in it.".into(),
        promised: "72 hours".into(),
        mistakes: Mistakes::default(),
    }
}

fn agent() -> AgentForm {
    AgentForm {
        shell: nobody(),
        typed: AgentTyped { agent: "Rights for All".into(), ..AgentTyped::default() },
        choices: letter().choices,
        rights: letter().choices,
        mistakes: Mistakes::default(),
    }
}

fn mandate() -> MandateQuestion {
    MandateQuestion {
        shell: nobody(),
        token: "4f1c".into(),
        agent: "Rights for All".into(),
        contact: "cases@agent.example".into(),
        rights: vec!["See what is held".into(), "Have everything erased".into()],
        first: "Take my data home".into(),
        words: "In the name of our member we ask for a copy.".into(),
        until: at("2027-06-30T23:59:59Z"),
        answer_until: at("2026-11-29T14:07:00Z"),
        tells: true,
    }
}

fn letter_done() -> LetterDone {
    LetterDone {
        shell: nobody(),
        title: "We have your request".into(),
        says: vec!["It is filed in your name. Both dates count from when your letter reached us.".into()],
        filed: Some(LetterFiled {
            reference: "PR-7KX2M-9QWMT".into(),
            received: at("2026-11-22T09:12:00Z"),
            promised_by: at("2026-11-25T09:12:00Z"),
            law_by: at("2026-12-22T23:00:00Z"),
        }),
    }
}

fn confirm() -> SignInConfirm {
    SignInConfirm {
        shell: nobody(),
        token: "4f1c".into(),
        action: "/sign-in/confirm".into(),
        says: "You asked to sign in to Flux Kontext.".into(),
        button: "Sign in".into(),
        until: Some(at("2026-11-22T14:22:00Z")),
        asks_code: true,
        mistakes: Mistakes::default(),
    }
}

fn sign_up() -> SignUp {
    SignUp {
        shell: nobody(),
        email: String::new(),
        name: String::new(),
        policy_version: "2026-05-05".into(),
        policy_effective: at("2026-05-05T00:00:00Z"),
        choices: vec![
            ConsentChoice {
                purpose: "training".into(),
                title: "Train models with my pictures".into(),
                means: Markup::trusted(
                    "<p>Your pictures and words may be used to make the models better.</p>",
                ),
                on: false,
            },
            ConsentChoice {
                purpose: "analytics".into(),
                title: "Count how I use the service".into(),
                means: Markup::trusted(
                    "<p>Which buttons are used, and how often. Never what is in a picture.</p>",
                ),
                on: false,
            },
        ],
        mistakes: Mistakes::default(),
    }
}

fn receipt() -> ReceiptPage {
    ReceiptPage {
        shell: nobody(),
        title: "Receipt of an erasure".into(),
        id: "rct_0192f3a47b1c7d2e9a40c1d2e3f40516".into(),
        seal: seal(),
        proves:
            "One account and everything held for it, 214 images among it, was erased on 22 November 2026."
                .into(),
        at: at("2026-11-22T14:02:00Z"),
        facts: vec![
            fact("Asked for", "19 November 2026, 09:12 UTC"),
            fact("Key destroyed", "22 November 2026, 14:01 UTC"),
            fact("Looked through afterwards", "6 places, nothing found"),
            fact("Controller", "Flux Kontext"),
        ],
        does_not_prove: strings(&[
            "That nobody made a copy before: a picture you shared yourself is out of our reach.",
            "What a processor did inside its own house. It proves that we asked, and what it answered.",
            "Whose account it was. The receipt names nobody; who holds it can show the reference.",
        ]),
        place: Place {
            index: Count(51_281),
            tree_size: Count(51_288),
            root: "q0Lx8Wv3yJc7bQmTn1rSg5kZ2dHfUeXa9oPiRwYtMsE=".into(),
            leaf: seal().hex(),
            signed_at: Some(at("2026-11-22T14:03:00Z")),
        },
        file_href: "/flux-kontext/receipts/rct_0192/file".into(),
        file_name: "receipt-0192f3a4.json".into(),
        verifier_key: KEY.into(),
    }
}

fn ledger() -> LedgerPage {
    LedgerPage {
        shell: nobody(),
        origin: "vouchsafe.example/flux-kontext".into(),
        size: Count(51_288),
        root: "q0Lx8Wv3yJc7bQmTn1rSg5kZ2dHfUeXa9oPiRwYtMsE=".into(),
        seal: Some(seal()),
        signed_at: Some(at("2026-11-22T14:06:00Z")),
        checkpoint: CHECKPOINT.into(),
        verifier_key: KEY.into(),
        archive_key: KEY.replace("/ledger", "/take-home"),
        watched: "2 of 3 signed the ledger at 51,280 entries".into(),
        self_check: State::Kept,
        self_checked: Some(at("2026-11-22T13:00:00Z")),
        entries: ledger_rows(),
        older_href: Some("/flux-kontext/ledger?before=51283".into()),
    }
}

fn empty_ledger() -> LedgerPage {
    LedgerPage {
        size: Count(0),
        seal: None,
        signed_at: None,
        checkpoint: String::new(),
        self_check: State::Waiting,
        self_checked: None,
        entries: vec![],
        older_href: None,
        ..ledger()
    }
}

fn error() -> ErrorPage {
    ErrorPage {
        shell: nobody(),
        title: "There is no page here".into(),
        happened: "The address may be mistyped, or what was here has been erased. If it was never yours, you see the same page.".into(),
        unharmed: "Nothing was changed and nothing was lost.".into(),
        steps: strings(&["Check the address for a slip.", "Go back to your pictures and look there."]),
        ways: vec![Way { says: "My pictures".into(), href: "/flux-kontext/images".into() }, Way { says: "Privacy policy".into(), href: "/flux-kontext/policy".into() }],
        reference: "k7f2-9qmd".into(),
    }
}
