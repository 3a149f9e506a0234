//! What the room promises, on pictures that are well meant; `hostile` has the others.

mod build;
mod hostile;

use proptest::prelude::*;

use super::sample::{self, Shot};
use super::*;
use vouchsafe_base::Kind;

/// Everything that a sample carries and that nobody may find in what we send on.
const CANARIES: [&[u8]; 9] = [
    b"Sample Optics",
    b"Landscape One",
    b"SO-000042",
    b"SAMPLE NOTES",
    b"2026:05:14",
    b"a caption with a name",
    b"photoshop",
    b"xpacket",
    b"\xff\xe1",
];

fn shot(format: Format, orientation: Orientation) -> Vec<u8> {
    let caption = "a caption with a name";
    sample::shoot(&Shot { seed: 3, caption, format, width: 96, height: 64, orientation }).unwrap()
}

fn seen(bytes: &[u8]) -> Inspected {
    inspect(bytes, &Limits::default()).unwrap()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle)
}

fn orientations() -> impl Iterator<Item = Orientation> {
    (1..=8).filter_map(Orientation::from_exif)
}

#[test]
fn a_photograph_says_what_it_carries() {
    for format in Format::ALL {
        let found = seen(&shot(format, Orientation::NoTransforms));
        assert_eq!((found.format, found.width, found.height, found.bit_depth), (format, 96, 64, 8));
        for what in [Carried::Exif, Carried::Gps, Carried::Thumbnail, Carried::Xmp] {
            assert!(found.has(what), "{format} {what:?}");
        }
        assert_eq!(found.has(Carried::Comment), format != Format::WebP);
        assert_eq!(found.mark, Some(DigitalSourceType::AlgorithmicMedia));
    }
}

#[test]
fn stripping_leaves_no_metadata_and_every_pixel() {
    for format in Format::ALL {
        for orientation in orientations() {
            let photograph = shot(format, orientation);
            let before = seen(&photograph);
            let stripped = strip(&photograph, &before).unwrap();
            let after = seen(&stripped);
            let left: &[Carried] =
                if orientation == Orientation::NoTransforms { &[] } else { &[Carried::Exif] };
            assert_eq!(after.carries, left, "{format} {orientation:?}");
            assert_eq!(after.orientation, orientation);
            assert_eq!(after.mark, None);
            for canary in CANARIES.iter().filter(|c| **c != b"\xff\xe1" || left.is_empty()) {
                assert!(contains(&photograph, canary) || format != Format::Jpeg || *canary == b"photoshop");
                let coded_by_chance = canary.len() < 4 && format != Format::Jpeg;
                assert!(
                    !contains(&stripped, canary) || coded_by_chance,
                    "{format} {orientation:?} {canary:?}"
                );
            }
            let (old, new) = (decode(&photograph, &before, None), decode(&stripped, &after, None));
            assert_eq!(old.unwrap(), new.unwrap());
            assert_eq!(strip(&stripped, &after).unwrap(), stripped, "stripping twice is stripping once");
        }
    }
}

#[test]
fn every_orientation_comes_out_upright() {
    let upright = sample::draw(3, 96, 64);
    for format in [Format::Png, Format::WebP] {
        for orientation in orientations() {
            let photograph = shot(format, orientation);
            let found = seen(&photograph);
            assert_eq!(found.orientation, orientation);
            assert_eq!(found.upright_size(), (96, 64));
            assert_eq!(decode(&photograph, &found, None).unwrap().to_rgb8(), upright.to_rgb8());
            let metadata = found.metadata();
            assert_eq!((metadata.width, metadata.height), (96, 64));
            assert_eq!(metadata.bytes, photograph.len() as u64);
        }
    }
}

#[test]
fn metadata_is_format_resolution_and_size_and_nothing_else() {
    let metadata = seen(&shot(Format::Jpeg, Orientation::NoTransforms)).metadata();
    let json = serde_json::to_value(metadata).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["bytes", "format", "height", "width"]);
    assert_eq!(json["format"], "jpeg");
}

#[test]
fn a_mark_is_read_back_and_is_all_that_is_added() {
    use DigitalSourceType as D;
    for format in Format::ALL {
        for orientation in [Orientation::NoTransforms, Orientation::Rotate90] {
            let photograph = shot(format, orientation);
            let before = seen(&photograph);
            for source in [D::CompositeWithTrainedAlgorithmicMedia, D::HumanEdits, D::AlgorithmicallyEnhanced]
            {
                let marked = mark(&photograph, source).unwrap();
                assert_eq!(read_mark(&marked), Some(source), "the earlier mark is replaced");
                assert!(contains(&marked, source.uri().as_bytes()));
                let after = seen(&marked);
                assert_eq!(after.orientation, orientation);
                assert!(after.carries.iter().all(|c| matches!(c, Carried::Xmp | Carried::Exif)), "{after:?}");
                assert!(!contains(&marked, b"Sample Optics"));
                assert_eq!(
                    decode(&photograph, &before, None).unwrap(),
                    decode(&marked, &after, None).unwrap()
                );
            }
        }
    }
}

#[test]
fn a_mark_is_found_however_it_is_written_and_only_if_it_is_of_the_scheme() {
    let attribute = b"<x Iptc4xmpExt:DigitalSourceType=\"https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\"/>";
    assert_eq!(DigitalSourceType::find(attribute), Some(DigitalSourceType::TrainedAlgorithmicMedia));
    assert_eq!(DigitalSourceType::find(b"cv.iptc.org/newscodes/digitalsourcetype/trained"), None);
    assert_eq!(DigitalSourceType::find(b"trainedAlgorithmicMedia"), None);
    assert_eq!(read_mark(b"no picture"), None);
}

#[test]
fn a_thumbnail_is_small_upright_and_bare() {
    for format in Format::ALL {
        let photograph = shot(format, Orientation::Rotate90);
        let small = thumbnail(&photograph, &seen(&photograph), 48).unwrap();
        assert_eq!((small.width, small.height, small.format), (48, 32, Format::Jpeg));
        assert_eq!(seen(&small.bytes).carries, []);
        let same = thumbnail(&photograph, &seen(&photograph), 500).unwrap();
        assert_eq!((same.width, same.height), (96, 64), "nothing is enlarged");
    }
}

#[test]
fn transparency_survives_in_png_and_becomes_paper_in_jpeg() {
    let clear = image::DynamicImage::from(image::RgbaImage::from_pixel(8, 8, image::Rgba([10, 20, 30, 0])));
    let png = encode(&clear, Format::Png, 90).unwrap();
    let found = seen(&png);
    assert!(found.alpha);
    assert_eq!(thumbnail(&png, &found, 4).unwrap().format, Format::Png);
    let jpeg = encode(&clear, Format::Jpeg, 90).unwrap();
    let pixels = decode(&jpeg, &seen(&jpeg), None).unwrap().to_rgb8();
    assert!(pixels.iter().all(|c| *c > 250));
}

#[test]
fn a_reduced_picture_keeps_its_shape_and_its_limit() {
    let png = encode(&sample::draw(0, 300, 200), Format::Png, 90).unwrap();
    let small = decode(&png, &seen(&png), Some(15_000)).unwrap();
    assert_eq!((small.width(), small.height()), (150, 100));
}

#[test]
fn a_seed_draws_the_same_photograph_and_another_draws_another() {
    let draw = |seed| sample::photograph(seed, "x", Format::Png).unwrap();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(6), "the same light, another landscape");
}

#[test]
fn refusals_are_sentences_for_people() {
    let limits = Limits { max_bytes: 25_000_000, ..Limits::default() };
    let refusals = [
        (Refused::Empty, "The file is empty."),
        (Refused::TooManyBytes { limit: limits.max_bytes }, "The file is larger than 25 MB."),
        (Refused::Unsupported { found: "a HEIC" }, "This is a HEIC. We take JPEG, PNG and WebP."),
        (Refused::Animated { format: Format::WebP }, "This WebP is animated. We take still pictures."),
    ];
    for (refused, text) in refusals {
        assert_eq!(refused.to_string(), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048), start in 0..4_usize) {
        let signature: &[u8] = [&b""[..], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xf0\x07\0\0WEBPVP8X"][start];
        never_panics(&[signature, &bytes].concat());
    }

    #[test]
    fn a_damaged_photograph_never_panics(
        format in prop::sample::select(&Format::ALL[..]),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = small(format);
        for (at, value) in hits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        never_panics(&bytes);
    }
}

fn small(format: Format) -> Vec<u8> {
    static SAMPLES: std::sync::OnceLock<[Vec<u8>; 3]> = std::sync::OnceLock::new();
    let draw = |format| sample::shoot(&Shot { format, width: 24, height: 16, ..Shot::default() }).unwrap();
    let index = Format::ALL.iter().position(|f| *f == format).unwrap();
    SAMPLES.get_or_init(|| Format::ALL.map(draw))[index].clone()
}

/// What passes can also be stripped, marked and looked at again; what does not pass is the sender's fault, not ours.
fn never_panics(bytes: &[u8]) {
    let _ = read_mark(bytes);
    let _ = mark(bytes, DigitalSourceType::HumanEdits);
    match inspect(bytes, &Limits::default()) {
        Ok(found) => {
            let stripped = strip(bytes, &found).unwrap();
            let again = seen(&stripped);
            assert_eq!(again.removed_by_strip().find(|c| *c != Carried::Exif), None);
            thumbnail(bytes, &found, 8).unwrap();
        }
        Err(refused) => assert_ne!(refused.kind(), Kind::Internal, "{refused}"),
    }
}
