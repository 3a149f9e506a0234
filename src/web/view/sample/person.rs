use super::*;

pub(super) fn pages() -> Vec<(&'static str, String)> {
    let mut pages = pictures();
    pages.extend(rights());
    pages
}

fn pictures() -> Vec<(&'static str, String)> {
    vec![
        ("gallery", html(&gallery())),
        ("gallery-empty", html(&Gallery { count: Count(0), images: vec![], going: vec![], running: vec![], older_href: None, inactive_until: None, ..gallery() })),
        ("edit-form", html(&edit_form())),
        ("edit-form-mistake", html(&EditForm { mistakes: mistakes("photograph", "This file is not a picture we can open. Choose a JPEG, PNG or WebP."), prompt: "Make the sky warmer".into(), source: None, ..edit_form() })),
        ("edit-form-blocked", html(&EditForm { blocked: Some("You paused all processing on 20 November 2026. Lift the pause, and you can edit again.".into()), ..edit_form() })),
        ("edit-progress", html(&progress())),
        ("edit-done", html(&done())),
        ("edit-failed", html(&EditProgress { stage: Stage::Failed("The model did not answer within five minutes. Your credit is back, and your photograph has been erased.".into()), ..progress() })),
        ("image", html(&image())),
        ("image-delete", html(&image_delete())),
    ]
}

fn rights() -> Vec<(&'static str, String)> {
    vec![
        ("privacy", html(&centre())),
        (
            "privacy-empty",
            html(&Centre {
                holdings: vec![],
                requests: vec![],
                consents: vec![],
                nothing_of: vec![],
                restricted_since: Some(at("2026-11-20T10:00:00Z")),
                staff_reads: Count(0),
                images: Count(0),
                gpc: true,
                ..centre()
            }),
        ),
        ("details", html(&details())),
        ("question", html(&question())),
        ("check", html(&check())),
        ("filed", html(&filed())),
        ("status", html(&status())),
        ("status-refused", html(&refused())),
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
        ("readers", html(&readers())),
        (
            "readers-empty",
            html(&Readers {
                staff: vec![],
                machines: vec![],
                refused: vec![],
                older_href: None,
                ..readers()
            }),
        ),
        ("notices", html(&notices())),
        ("notices-empty", html(&Notices { notices: vec![], ..notices() })),
        ("archive", html(&archive())),
        ("archive-empty", html(&empty_archive())),
    ]
}

fn tile(id: &str, caption: &str, age: Age) -> Tile {
    Tile {
        id: id.into(),
        alt: format!("Edited picture: {caption}"),
        caption: caption.into(),
        made: at("2026-11-21T18:30:00Z"),
        width: 640,
        height: 480,
        age,
    }
}

fn gallery() -> Gallery {
    let captions = [
        "Make the sky warmer and take away the lamp post",
        "As an ink drawing",
        "Evening light",
        "Crop to the two of us, softer background, and a little less contrast in the shadows",
        "Remove the date stamp",
        "Autumn",
        "Black and white",
    ];
    Gallery {
        shell: person(),
        count: Count(214),
        size: Size(612_400_000),
        images: captions
            .iter()
            .enumerate()
            .map(|(n, caption)| {
                tile(&format!("obj_{n}"), caption, if n == 4 { Age::Held } else { Age::UntilDeleted })
            })
            .collect(),
        going: vec![
            tile("obj_8", "upload", Age::Goes(at("2026-11-24T09:00:00Z"))),
            tile("obj_9", "upload", Age::Going),
        ],
        running: vec![Running {
            id: "edt_1".into(),
            caption: "Paint the door blue".into(),
            step: "Waiting for the model".into(),
            since: at("2026-11-22T14:06:00Z"),
        }],
        older_href: Some("/flux-kontext/images?before=obj_7".into()),
        newer_href: None,
        inactive_until: None,
    }
}

fn edit_form() -> EditForm {
    EditForm {
        shell: person(),
        source: None,
        prompt: String::new(),
        models: vec![
            ModelChoice {
                id: "pro".into(),
                name: "Kontext Pro".into(),
                good_for: "Quick, and good for most edits.".into(),
                credits: Count(1),
                chosen: true,
            },
            ModelChoice {
                id: "max".into(),
                name: "Kontext Max".into(),
                good_for: "Slower, for fine detail and lettering.".into(),
                credits: Count(2),
                chosen: false,
            },
        ],
        styles: vec![
            choice("none", "As it is", true),
            choice("ink", "Ink drawing", false),
            choice("oil", "Oil painting", false),
        ],
        shapes: vec![choice("same", "Same as the photograph", true), choice("square", "Square", false)],
        credits: Count(37),
        most_bytes: Size(32_000_000),
        most_pixels: "50 megapixels".into(),
        processor: "FAL.AI".into(),
        stays_here: false,
        input_at_most: "48 hours".into(),
        blocked: None,
        mistakes: Mistakes::default(),
    }
}

fn progress() -> EditProgress {
    EditProgress {
        shell: person(),
        id: "edt_1".into(),
        prompt: "Paint the door blue".into(),
        model: "Kontext Pro".into(),
        since: at("2026-11-22T14:06:00Z"),
        stage: Stage::Running,
        steps: vec![
            step(
                "Photograph received and checked",
                "2026-11-22T14:06:00Z",
                "Place and camera notes were removed.",
            ),
            step("Sent to FAL.AI", "2026-11-22T14:06:02Z", ""),
            step_now("The model is at work", "Usually 10 to 20 seconds."),
            step("Result checked and sealed under your key", "", ""),
            step("Photograph erased, here and at FAL.AI", "", ""),
        ],
        result: None,
        input_gone: None,
    }
}

fn done() -> EditProgress {
    let mut page = progress();
    for (n, step) in page.steps.iter_mut().enumerate() {
        step.at = Some(at(&format!("2026-11-22T14:06:{:02}Z", n * 3)));
        step.now = false;
    }
    page.stage = Stage::Done;
    page.result = Some(tile("obj_2", "Paint the door blue", Age::UntilDeleted));
    page.input_gone = Some("The photograph you uploaded is erased.".into());
    page
}

fn image() -> ImagePage {
    ImagePage {
        shell: person(),
        tile: tile("obj_2", "Evening light", Age::UntilDeleted),
        title: "An edited picture".into(),
        file_name: "evening-light.jpg".into(),
        size: Size(2_870_000),
        prompt: "Evening light, and take the bins away".into(),
        metadata: vec![
            fact("Model", "Kontext Pro, version 2026-09"),
            fact("Pixels", "4,032 × 3,024"),
            fact("Format", "JPEG, marked as edited with AI"),
            fact("Style", "As it is"),
            fact("Made in", "11 seconds"),
        ],
        why: "It stays until you delete it or close your account.".into(),
        clause: "Pictures we make for you".into(),
        clause_id: "output-images".into(),
        staff_reads: Count(0),
        previous: Some("obj_1".into()),
        next: Some("obj_3".into()),
    }
}

fn image_delete() -> ImageDelete {
    ImageDelete {
        shell: person(),
        tile: tile("obj_2", "Evening light", Age::UntilDeleted),
        goes: strings(&[
            "the picture itself, and its small versions",
            "the words you asked for it with",
            "its metadata",
        ]),
        stays: strings(&[
            "That you used one credit, until 22 November 2028, because we owe you a correct count.",
        ]),
        blocked: None,
    }
}

fn row(reference: &str, title: &str, status: &str, state: State) -> RequestRow {
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
        restricted_since: None,
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
        can_withdraw: false,
        reload: false,
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
        backups_unreadable: Some(at("2026-12-22T00:00:00Z")),
        step_up: true,
        open_access: Some("R-2026-0147".into()),
        mistakes: Mistakes::default(),
    }
}

fn erased() -> Erased {
    Erased {
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
            fact("Stripe", "answered: deleted"),
        ],
        stays: stays(),
        seal: Some(seal()),
        receipt_href: Some("/flux-kontext/receipts/rct_0192".into()),
        receipt_file: "receipt-0192f3a4.json".into(),
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

fn archive() -> ArchiveIndex {
    let picture = |n: usize, caption: &str| ArchiveImage {
        path: format!("images/{n:04}.jpg"),
        alt: format!("Edited picture: {caption}"),
        caption: caption.into(),
        made: at("2026-11-21T18:30:00Z"),
        width: 640,
        height: 480,
        size: Size(2_870_000),
        hash: "9f3ac2d1".into(),
    };
    let centre = centre();
    ArchiveIndex {
        brand: "Flux Kontext".into(),
        controller: "Flux Kontext, flux1kontext.io".into(),
        contact: "privacy@example.org".into(),
        person: "someone@example.org".into(),
        reference: "R-2026-0147".into(),
        made: now(),
        policy_version: "2026-05-05".into(),
        images: vec![picture(1, "Make the sky warmer"), picture(2, "As an ink drawing"), picture(3, "Evening light")],
        categories: vec![
            ArchiveCategory { id: "account".into(), name: "Your account".into(), count: Count(1), source: "You gave them to us.".into(), goes: "They go 30 days after you close the account.".into(), columns: strings(&["Field", "Value"]), rows: vec![strings(&["E-mail address", "someone@example.org"]), strings(&["Name", "Someone"])], files: strings(&["data/account.json", "data/account.csv"]) },
            ArchiveCategory { id: "prompt".into(), name: "Your words".into(), count: Count(216), source: "You gave them to us.".into(), goes: "They go with the picture they made.".into(), columns: strings(&["When", "Words", "Model"]), rows: vec![strings(&["2026-11-21 18:30", "Make the sky warmer", "Kontext Pro"]), strings(&["2026-11-20 10:02", "As an ink drawing", "Kontext Max"])], files: strings(&["data/prompt.json", "data/prompt.csv"]) },
        ],
        answer: Article15 {
            purposes: vec![fact("To edit your photographs", "contract, Article 6(1)(b)"), fact("To keep the service safe", "legitimate interest, Article 6(1)(f)")],
            categories: strings(&["Pictures we made for you", "Your words", "Your account"]),
            recipients: vec![fact("FAL.AI, United States", "photographs and words, for each edit you asked for"), fact("Stripe, Ireland", "billing details")],
            periods: vec![fact("Pictures we made for you", "until you delete them or close your account"), fact("Use and credits", "2 years")],
            rights: strings(&["Have wrong data corrected.", "Have data erased.", "Have their use paused.", "Object to what we do without asking you."]),
            authority: "The data protection authority where you live, where you work, or where you think the law was broken.".into(),
            sources: vec![],
            automated: "No. No decision about you is taken by a machine alone.".into(),
            transfers: vec![fact("FAL.AI", "standard contractual clauses of 4 June 2021")],
        },
        consents: centre.consents.iter().map(|consent| ArchiveConsent { title: consent.title.clone(), on: consent.on, history: consent.history.clone() }).collect(),
        reads: readers().staff,
        files: vec![fact("manifest.json", "every file with its SHA-256"), fact("manifest.sig", "the signature under it"), fact("data/account.json", "your account")],
        verifier_key: KEY.into(),
    }
}

fn empty_archive() -> ArchiveIndex {
    ArchiveIndex { images: vec![], categories: vec![], consents: vec![], reads: vec![], ..archive() }
}
