use super::*;

pub(super) fn pages() -> Vec<(&'static str, String)> {
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
        size: Some(Size(612_400_000)),
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
        results: Vec::new(),
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
    page.results = vec![tile("obj_2", "Paint the door blue", Age::UntilDeleted)];
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
