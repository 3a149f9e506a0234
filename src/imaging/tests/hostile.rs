//! The catalogue of bad pictures: each with the refusal it must meet, or what must not come out.

use super::super::icc;
use super::build::{chunk, grey, ihdr, into_jpeg, png, riff, webp, zlib};
use super::*;

fn refused(bytes: &[u8]) -> Refused {
    inspect(bytes, &Limits::default()).unwrap_err()
}

fn plain(format: Format) -> Vec<u8> {
    encode(&sample::draw(2, 64, 48), format, 85).unwrap()
}

/// Where a JPEG's frame header gives the height.
fn height_field(jpeg: &[u8]) -> usize {
    jpeg.windows(4).position(|w| w == [0xff, 0xc0, 0x00, 0x11]).unwrap() + 5
}

#[test]
fn twenty_thousand_squared_is_refused_by_its_header() {
    let bomb = png(&[ihdr(20_000, 20_000, 8, 0), chunk(*b"IDAT", &zlib(&[0; 64]))]);
    let refusal = refused(&bomb);
    assert_eq!(refusal.kind(), Kind::TooLarge);
    assert_eq!(
        refusal.to_string(),
        "The picture is 20000 × 20000 pixels. We take up to 50 megapixels, 16384 on the longer edge."
    );
}

#[test]
fn sizes_that_cannot_be_or_are_too_long_are_refused_before_decoding() {
    for (width, height, kind) in [
        (0, 10, Kind::Invalid),
        (10, 0, Kind::Invalid),
        (1, 65_535, Kind::TooLarge),
        (65_535, 65_535, Kind::TooLarge),
        (u32::MAX, u32::MAX, Kind::TooLarge),
    ] {
        let file = png(&[ihdr(width, height, 8, 2), chunk(*b"IDAT", &zlib(&[0; 8]))]);
        assert_eq!(refused(&file).kind(), kind, "{width} × {height}");
    }
    let mut jpeg = plain(Format::Jpeg);
    let at = height_field(&jpeg);
    jpeg[at..at + 4].copy_from_slice(&[0xff; 4]);
    assert_eq!(refused(&jpeg).kind(), Kind::TooLarge);
    jpeg[at..at + 2].copy_from_slice(&[0; 2]);
    assert_eq!(refused(&jpeg).kind(), Kind::Invalid);
}

#[test]
fn what_would_take_too_much_memory_is_refused_though_its_pixels_are_few() {
    let limits = Limits { max_memory: 64 * 48 * 8 - 1, ..Limits::default() };
    let deep = png(&[ihdr(64, 48, 16, 6), chunk(*b"IDAT", &zlib(&vec![0; 48 * (64 * 8 + 1)]))]);
    assert_eq!(inspect(&deep, &limits).unwrap_err().kind(), Kind::TooLarge);
    assert_eq!(inspect(&deep, &Limits::default()).unwrap().bit_depth, 16);
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let limits = Limits { max_bytes: 100, ..Limits::default() };
    assert_eq!(inspect(&plain(Format::Png), &limits), Err(Refused::TooManyBytes { limit: 100 }));
    assert_eq!(inspect(&[], &limits), Err(Refused::Empty));
}

#[test]
fn a_sample_cut_at_any_byte_is_invalid() {
    for format in Format::ALL {
        let bytes = small(format);
        seen(&bytes);
        for end in 0..bytes.len() {
            let refusal = refused(&bytes[..end]);
            assert_eq!(refusal.kind(), Kind::Invalid, "{format} cut at {end}: {refusal}");
        }
    }
}

#[test]
fn a_header_that_promises_more_rows_than_there_are_is_damaged() {
    seen(&grey(10, 10, 10, &[]));
    assert!(matches!(refused(&grey(10, 10, 4, &[])), Refused::Broken { .. }));
    let mut jpeg = plain(Format::Jpeg);
    let at = height_field(&jpeg);
    jpeg[at..at + 2].copy_from_slice(&400_u16.to_be_bytes());
    assert!(matches!(refused(&jpeg), Refused::Broken { .. }), "rows that are not there");
}

#[test]
fn a_header_that_promises_less_bounds_what_is_decoded() {
    if let Ok(found) = inspect(&grey(10, 4, 400, &[]), &Limits::default()) {
        assert_eq!((found.width, found.height), (10, 4));
    }
}

#[test]
fn a_jpeg_whose_data_ends_early_behind_a_proper_end_is_damaged() {
    let whole = encode(&sample::draw(1, 480, 320), Format::Jpeg, 90).unwrap();
    let half = [&whole[..whole.len() / 2], &[0xff, 0xd9]].concat();
    assert!(matches!(refused(&half), Refused::Broken { .. }));
    seen(&whole);
}

#[test]
fn animations_are_refused() {
    let apng = grey(4, 4, 4, &[chunk(*b"acTL", &[0, 1, 0x86, 0xa0, 0, 0, 0, 0])]);
    assert_eq!(refused(&apng), Refused::Animated { format: Format::Png });
    let mut chunks = vec![riff(*b"VP8X", &[2, 0, 0, 0, 3, 0, 0, 3, 0, 0]), riff(*b"ANIM", &[0; 6])];
    chunks.extend((0..100).map(|_| riff(*b"ANMF", &[0; 24])));
    assert_eq!(refused(&webp(&chunks)), Refused::Animated { format: Format::WebP });
}

#[test]
fn a_thousand_passes_and_a_million_parts_are_refused() {
    let jpeg = plain(Format::Jpeg);
    let scan = jpeg.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    let mut many = jpeg[..jpeg.len() - 2].to_vec();
    for _ in 0..1000 {
        many.extend(&jpeg[scan..jpeg.len() - 2]);
    }
    many.extend([0xff, 0xd9]);
    assert_eq!(refused(&many), Refused::TooComplex { format: Format::Jpeg });
    let parts = vec![chunk(*b"tEXt", b""); 70_000];
    assert_eq!(refused(&grey(4, 4, 4, &parts)), Refused::TooComplex { format: Format::Png });
}

#[test]
fn compressed_text_is_never_unpacked_nor_a_profile_of_any_size() {
    // Were they unpacked, this garbage would fail.
    let bombs = [
        chunk(*b"zTXt", &[&b"canary\0\0"[..], &[0xff; 4096]].concat()),
        chunk(*b"iTXt", &[&b"canary\0\x01\0\0\0"[..], &[0xff; 4096]].concat()),
        chunk(*b"iCCP", &[&b"canary\0\0"[..], &vec![0xff; 100_000]].concat()),
    ];
    let file = grey(4, 4, 4, &bombs);
    let found = seen(&file);
    let stripped = strip(&file, &found).unwrap();
    assert!(!contains(&stripped, b"canary"));
    assert_eq!(seen(&stripped).carries, [], "a profile of that size goes too");
}

#[test]
fn a_profile_stays_but_not_its_name() {
    let screen = icc::tests::of_a_screen(4, &icc::tests::gamma());
    assert!(contains(&screen, b"canary"));
    let profile = chunk(*b"iCCP", &[&b"canary\0\0"[..], &zlib(&screen)].concat());
    let file = grey(4, 4, 4, &[chunk(*b"gAMA", &45_455_u32.to_be_bytes()), profile]);
    let stripped = strip(&file, &seen(&file)).unwrap();
    assert_eq!(seen(&stripped).carries, [Carried::ColourProfile]);
    assert!(contains(&stripped, b"gAMA") && !contains(&stripped, b"canary"));
    // In two pieces, the second first.
    let piece = |n: u8, piece: &[u8]| [&b"ICC_PROFILE\0"[..], &[n, 2], piece].concat();
    let jpeg = into_jpeg(&plain(Format::Jpeg), 0xe2, &piece(1, &screen[..200]));
    let jpeg = into_jpeg(&jpeg, 0xe2, &piece(2, &screen[200..]));
    let coded = plain(Format::WebP);
    for file in [jpeg, webp(&[riff(*b"ICCP", &screen), coded[12..].to_vec()])] {
        let stripped = strip(&file, &seen(&file)).unwrap();
        assert_eq!(seen(&stripped).carries, [Carried::ColourProfile]);
        assert!(contains(&stripped, &icc::neutral(&screen).unwrap()));
        assert!(!contains(&stripped, b"canary") && !contains(&stripped, b"Lovelace"));
    }
    let letters = into_jpeg(&plain(Format::Jpeg), 0xe2, &[&b"ICC_PROFILE\0\x01\x01"[..], &[7; 200]].concat());
    assert_eq!(seen(&strip(&letters, &seen(&letters)).unwrap()).carries, [], "what is no profile goes");
}

#[test]
fn nothing_behind_the_end_of_a_picture_gets_through() {
    for format in Format::ALL {
        for tail in
            [&b"PK\x03\x04canary"[..], b"<script>canary</script>", &shot(format, Orientation::Rotate180)]
        {
            let file = [&plain(format)[..], tail].concat();
            let found = seen(&file);
            assert!(found.has(Carried::Trailing));
            assert_eq!(strip(&file, &found).unwrap(), strip(&plain(format), &seen(&plain(format))).unwrap());
        }
    }
}

#[test]
fn odd_places_to_hide_in_are_emptied() {
    let jpeg = plain(Format::Jpeg);
    let hides: [(u8, &[u8], Carried); 8] = [
        (0xe0, b"JFXX\0\x10canary", Carried::Thumbnail),
        (0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01canary", Carried::Thumbnail),
        (0xe1, b"http://ns.adobe.com/xmp/extension/\0canary", Carried::Xmp),
        (0xe2, b"MPF\0canary", Carried::Trailing),
        (0xeb, b"JP\0\x01canary", Carried::Provenance),
        (0xed, b"Photoshop 3.0\x008BIMcanary", Carried::Iptc),
        (0xe7, b"canary", Carried::Unknown),
        (0xfe, b"canary", Carried::Comment),
    ];
    for (marker, body, what) in hides {
        let file = into_jpeg(&jpeg, marker, body);
        let found = seen(&file);
        assert!(found.has(what), "{what:?}");
        assert!(!contains(&strip(&file, &found).unwrap(), b"canary"), "{what:?}");
    }
    let file =
        grey(4, 4, 4, &[chunk(*b"caBX", b"canary"), chunk(*b"prVt", b"canary"), chunk(*b"sRGB", b"canary")]);
    assert!(!contains(&strip(&file, &seen(&file)).unwrap(), b"canary"));
    let coded = plain(Format::WebP);
    let file = webp(&[coded[12..].to_vec(), riff(*b"HIDE", b"canary"), riff(*b"XMP ", b"canary")]);
    assert!(!contains(&strip(&file, &seen(&file)).unwrap(), b"canary"));
}

#[test]
fn a_camera_block_that_loops_lies_or_points_nowhere_is_only_dropped() {
    let loops = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\x08";
    let own_directory = b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\0";
    let four_billion = b"MM\0*\0\0\0\x08\0\x01\x01\x0e\0\x02\xff\xff\xff\xff\0\0\0\x08\0\0\0\0";
    let nowhere = b"II*\0\xff\xff\xff\xff";
    for block in [&loops[..], own_directory, four_billion, nowhere, b"", b"MM"] {
        let body = [&b"Exif\0\0"[..], block].concat();
        let file = into_jpeg(&plain(Format::Jpeg), 0xe1, &body);
        let found = seen(&file);
        assert!(found.has(Carried::Exif));
        strip(&file, &found).unwrap();
    }
}

#[test]
fn an_orientation_that_does_not_exist_is_upright() {
    for value in [0_u8, 9, 99] {
        let mut block = *b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
        block[25] = value;
        let found = seen(&into_jpeg(&plain(Format::Jpeg), 0xe1, &block));
        assert_eq!(found.orientation, Orientation::NoTransforms);
    }
}

#[test]
fn unusual_but_honest_pictures_pass() {
    let palette = png(&[
        ihdr(2, 2, 8, 3),
        chunk(*b"PLTE", &[255, 0, 0, 0, 255, 0]),
        chunk(*b"IDAT", &zlib(&[0, 0, 1, 0, 1, 0])),
    ]);
    let found = seen(&palette);
    assert_eq!(
        decode(&strip(&palette, &found).unwrap(), &found, None).unwrap().to_rgb8().get_pixel(1, 0).0,
        [0, 255, 0]
    );
    let with_alpha = png(&[ihdr(2, 1, 16, 4), chunk(*b"IDAT", &zlib(&[0; 9]))]);
    assert!(seen(&with_alpha).alpha);
    let one_bit = png(&[ihdr(8, 1, 1, 0), chunk(*b"IDAT", &zlib(&[0, 0xaa]))]);
    assert_eq!(seen(&one_bit).bit_depth, 1);
    let out_of_range =
        png(&[ihdr(2, 1, 8, 3), chunk(*b"PLTE", &[255, 0, 0]), chunk(*b"IDAT", &zlib(&[0, 0, 200]))]);
    never_panics(&out_of_range);
}

#[test]
fn a_png_that_does_not_begin_with_its_header_is_damaged() {
    let late = png(&[chunk(*b"tEXt", b"x"), ihdr(1, 1, 8, 0)]);
    assert!(matches!(refused(&late), Refused::Broken { .. }));
    let mut wrong_sum = grey(4, 4, 4, &[]);
    wrong_sum[30] ^= 1;
    assert!(matches!(refused(&wrong_sum), Refused::Broken { .. }));
}
