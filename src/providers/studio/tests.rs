//! What the studio promises.

use proptest::prelude::*;

use super::*;
use crate::base::Kind;
use crate::imaging::{Carried, sample};

fn photograph(width: u32, height: u32) -> Vec<u8> {
    let shot = sample::Shot { caption: "canary", width, height, ..sample::Shot::default() };
    sample::shoot(&shot).unwrap()
}

fn asked(prompt: &str) -> EditSpec {
    EditSpec { prompt: prompt.into(), ..EditSpec::default() }
}

fn named(prompt: &str) -> Vec<(&'static str, f32)> {
    words::read(prompt).steps.iter().map(|s| (s.operation.name(), s.amount)).collect()
}

#[test]
fn words_are_understood_with_their_strength_and_their_sense() {
    let cases: [(&str, &[(&str, f32)]); 16] = [
        ("Make it black and white and a bit brighter", &[("black and white", 1.0), ("brighten", 0.5)]),
        ("golden hour, please", &[("sunset light", 1.0)]),
        ("very vivid, slightly sharper", &[("more colour", 1.6), ("sharpen", 0.5)]),
        ("less contrast and more colour", &[("less contrast", 1.0), ("more colour", 1.0)]),
        ("it's too dark", &[("brighten", 1.0)]),
        ("Don't blur it, but make it warmer", &[("warmer", 1.0)]),
        ("without grain or vignette", &[]),
        ("like an oil painting", &[("oil painting", 1.0)]),
        ("watercolor", &[("watercolour", 1.0)]),
        ("make it blue", &[("blue tint", 1.0)]),
        ("a teal tint with a frame", &[("teal tint", 1.0), ("frame", 1.0)]),
        ("a blue car", &[]),
        ("a red car, in pencil", &[("pencil sketch", 1.0)]),
        ("upside down", &[("turn by 180°", 1.0)]),
        ("sepia sepia sepia", &[("sepia", 1.0)]),
        ("", &[]),
    ];
    for (prompt, expected) in cases {
        assert_eq!(named(prompt), expected, "{prompt}");
    }
}

#[test]
fn every_style_on_the_list_is_an_operation_and_no_other_name_is() {
    for (name, _) in STYLES {
        assert!(words::style(name).is_some(), "{name}");
    }
    assert_eq!(words::style("warm"), None, "a word, but no style");
    let unknown = EditSpec { style: Some("baroque".into()), ..EditSpec::default() };
    assert_eq!(edit(&photograph(32, 24), &unknown).unwrap_err().kind(), Kind::Invalid);
}

#[test]
fn longer_phrases_are_not_hidden_by_shorter_ones() {
    let phrases: Vec<_> = vocabulary::PHRASES.iter().map(|(phrase, _)| *phrase).collect();
    for (i, phrase) in phrases.iter().enumerate() {
        let hides = phrases[..i].iter().find(|p| phrase == *p || phrase.starts_with(&format!("{p} ")));
        assert_eq!(hides, None, "{phrase}");
    }
}

#[test]
fn the_same_request_gives_the_same_bytes_and_another_seed_another_grain() {
    let picture = photograph(96, 64);
    let grain = |seed| edit(&picture, &EditSpec { seed, ..asked("grainy watercolour") }).unwrap().bytes;
    assert_eq!(grain(1), grain(1));
    assert_ne!(grain(1), grain(2));
}

#[test]
fn a_result_carries_its_mark_and_nothing_of_the_input() {
    for output_format in Format::ALL {
        let edited = edit(&photograph(96, 64), &EditSpec { output_format, ..asked("vintage") }).unwrap();
        let found = imaging::inspect(&edited.bytes, &Limits::default()).unwrap();
        assert_eq!((found.format, found.width, found.height), (output_format, 96, 64));
        assert_eq!(found.carries, [Carried::Xmp]);
        assert_eq!(found.mark, Some(DigitalSourceType::HumanEdits));
        assert!(!edited.bytes.windows(6).any(|w| w == b"canary"));
    }
}

#[test]
fn what_is_not_understood_is_done_gently_and_said_without_repeating_it() {
    let edited = edit(&photograph(96, 64), &asked("add Xanthippe to the veranda")).unwrap();
    assert!(!edited.understood);
    assert_eq!(edited.operations, ["balance the light"]);
    assert_eq!(edited.mark, DigitalSourceType::AlgorithmicallyEnhanced, "no person chose this");
    assert!(edited.note.contains("No AI was used") && edited.note.contains("cannot add"));
    assert!(!edited.note.contains("Xanthippe") && !edited.note.contains("veranda"));
}

#[test]
fn a_generated_picture_stays_marked_as_generated() {
    let generated = DigitalSourceType::TrainedAlgorithmicMedia;
    let input = imaging::mark(&photograph(48, 32), generated).unwrap();
    let edited = edit(&input, &asked("brighter")).unwrap();
    assert_eq!(imaging::read_mark(&edited.bytes), Some(generated));
    let stripped = photograph(48, 32);
    let spec = EditSpec { earlier_mark: Some(generated), ..asked("brighter") };
    assert_eq!(edit(&stripped, &spec).unwrap().mark, generated, "also when the caller had stripped it");
}

#[test]
fn pro_works_on_a_megapixel_and_max_on_all() {
    let picture = photograph(1500, 1000);
    let size = |model| {
        let edited = edit(&picture, &EditSpec { model, ..asked("mirror") }).unwrap();
        (edited.width, edited.height, edited.bytes.len())
    };
    let (width, height, bytes) = size(Model::Pro);
    assert!(width * height <= 1 << 20 && width * height > 1_000_000, "{width} × {height}");
    let max = size(Model::Max);
    assert_eq!((max.0, max.1), (1500, 1000));
    assert!(max.2 > bytes);
}

#[test]
fn shapes_are_cut_from_the_middle() {
    for (ratio, size) in [("1:1", (60, 60)), ("16:9", (90, 50)), ("9:16", (33, 60)), ("3:2", (90, 60))] {
        let spec = EditSpec { aspect_ratio: AspectRatio::parse(ratio), ..asked("sepia") };
        let edited = edit(&photograph(90, 60), &spec).unwrap();
        assert_eq!((edited.width, edited.height), size, "{ratio}");
        assert_eq!(edited.operations, [format!("crop to {ratio}"), "sepia".into()]);
    }
    for bad in ["", "1", "0:0", "5:4", "16:9:1", "a:b", "match_input_image"] {
        assert_eq!(AspectRatio::parse(bad), None);
    }
}

#[test]
fn guidance_is_strength_and_has_a_range() {
    let picture = photograph(48, 32);
    let with = |guidance| edit(&picture, &EditSpec { guidance, ..asked("brighter") });
    assert_ne!(with(1.0).unwrap().bytes, with(8.0).unwrap().bytes);
    for bad in [0.0, 21.0, f32::NAN, f32::INFINITY] {
        assert_eq!(with(bad).unwrap_err().kind(), Kind::Invalid);
    }
}

#[test]
fn an_upright_result_comes_from_a_picture_that_lies() {
    let lying = sample::Shot {
        width: 64,
        height: 32,
        orientation: imaging::Orientation::Rotate90,
        ..sample::Shot::default()
    };
    let edited = edit(&sample::shoot(&lying).unwrap(), &asked("warmer")).unwrap();
    assert_eq!((edited.width, edited.height), (64, 32));
}

#[test]
fn every_word_works_on_the_smallest_pictures() {
    for (width, height) in [(1, 1), (3, 2), (1, 40)] {
        let tiny = image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([u8::try_from(x * 90).unwrap(), u8::try_from(y * 6).unwrap(), 128])
        });
        for (_, operation) in vocabulary::PHRASES {
            for amount in [0.2, 2.0] {
                let step = Step { operation: *operation, amount };
                let done = operation::apply(tiny.clone(), step, &EditSpec::default());
                assert!(done.width() > 0 && done.height() > 0);
            }
        }
    }
}

#[test]
fn what_is_no_picture_is_refused() {
    let refused = edit(b"GIF89a", &asked("sepia")).unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsupported);
}

proptest! {
    #[test]
    fn any_words_can_be_read(prompt in "\\PC{0,300}") {
        let reading = words::read(&prompt);
        prop_assert!(reading.steps.len() <= 8);
        prop_assert!(reading.steps.iter().all(|s| s.amount > 0.0));
    }
}
