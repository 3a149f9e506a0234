//! What a camera writes: make, model, times, serial number, notes of its own, a thumbnail, and where it stood.

use std::io::Cursor;

use exif::experimental::Writer;
use exif::{Field, In, Rational, Tag, Value};

use super::Shot;

/// An EXIF block for the shot, little-endian. `None` if the writer fails, which it has no reason to.
pub(super) fn block(shot: &Shot<'_>, thumbnail: &[u8]) -> Option<Vec<u8>> {
    let fields = fields(shot);
    let thumbnail_kind =
        Field { tag: Tag::Compression, ifd_num: In::THUMBNAIL, value: Value::Short(vec![6]) };
    let mut writer = Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    writer.push_field(&thumbnail_kind);
    writer.set_jpeg(thumbnail, In::THUMBNAIL);
    let mut out = Cursor::new(Vec::new());
    writer.write(&mut out, true).ok()?;
    Some(out.into_inner())
}

fn fields(shot: &Shot<'_>) -> Vec<Field> {
    let text = |s: &str| Value::Ascii(vec![s.as_bytes().to_vec()]);
    // The Royal Observatory at Greenwich, and some steps further with every seed.
    let seconds = u32::try_from(4000 + shot.seed % 1000).unwrap_or(4000);
    let place = |degrees, minutes, hundredths| {
        Value::Rational(vec![
            Rational { num: degrees, denom: 1 },
            Rational { num: minutes, denom: 1 },
            Rational { num: hundredths, denom: 100 },
        ])
    };
    [
        (Tag::ImageDescription, text(shot.caption)),
        (Tag::Make, text("Sample Optics")),
        (Tag::Model, text("Landscape One")),
        (Tag::Software, text("1.0.4")),
        (Tag::Orientation, Value::Short(vec![u16::from(shot.orientation.to_exif())])),
        (Tag::DateTime, text("2026:05:14 17:42:08")),
        (Tag::DateTimeOriginal, text("2026:05:14 17:42:08")),
        (Tag::ExposureTime, Value::Rational(vec![Rational { num: 1, denom: 250 }])),
        (Tag::FNumber, Value::Rational(vec![Rational { num: 28, denom: 10 }])),
        (Tag::PhotographicSensitivity, Value::Short(vec![100])),
        (Tag::BodySerialNumber, text("SO-000042")),
        (Tag::MakerNote, Value::Undefined(b"SAMPLE NOTES OF THE MAKER".to_vec(), 0)),
        (Tag::GPSLatitudeRef, text("N")),
        (Tag::GPSLatitude, place(51, 28, seconds)),
        (Tag::GPSLongitudeRef, text("W")),
        (Tag::GPSLongitude, place(0, 0, 531)),
        (Tag::GPSAltitude, Value::Rational(vec![Rational { num: 46, denom: 1 }])),
        (Tag::GPSDateStamp, text("2026:05:14")),
    ]
    .into_iter()
    .map(|(tag, value)| Field { tag, ifd_num: In::PRIMARY, value })
    .collect()
}
