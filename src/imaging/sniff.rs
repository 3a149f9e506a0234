//! What a file is, by its first bytes.

use super::{Format, Refused};

pub(super) const PNG_SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The format, or what it is instead. A file so short that its signature is not complete counts as cut short.
pub(super) fn format(bytes: &[u8]) -> Result<Format, Refused> {
    if bytes.is_empty() {
        return Err(Refused::Empty);
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(&PNG_SIGNATURE) {
        return Ok(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::WebP);
    }
    let beginnings: [(&[u8], Format); 3] =
        [(b"\xff\xd8\xff", Format::Jpeg), (&PNG_SIGNATURE, Format::Png), (b"RIFF", Format::WebP)];
    for (signature, format) in beginnings {
        let riff_without_name = format == Format::WebP && bytes.len() < 12 && bytes.starts_with(signature);
        if signature.starts_with(bytes) || riff_without_name {
            return Err(Refused::CutShort { format });
        }
    }
    Err(Refused::Unsupported { found: other(bytes) })
}

/// Names a type that we do not take, with its article.
fn other(bytes: &[u8]) -> &'static str {
    const SIGNATURES: &[(&[u8], &str)] = &[
        (b"GIF8", "a GIF"),
        (b"II*\0", "a TIFF or raw photograph"),
        (b"MM\0*", "a TIFF or raw photograph"),
        (b"IIU\0", "a raw photograph"),
        (b"IIRO", "a raw photograph"),
        (b"FUJIFILM", "a raw photograph"),
        (b"BM", "a BMP"),
        (b"\x00\x00\x01\x00", "an icon file"),
        (b"8BPS", "a Photoshop file"),
        (b"qoif", "a QOI"),
        (b"\xff\x0a", "a JPEG XL"),
        (b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
        (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
        (b"%PDF", "a PDF"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a compressed archive"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
        (b"\x1aE\xdf\xa3", "a film"),
        (b"age-encryption.org/", "an encrypted file"),
    ];
    if let Some((_, name)) = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return name;
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return match bytes.get(8..11) {
            Some(b"avi") => "an AVIF",
            Some(b"hei" | b"hev" | b"mif" | b"msf") => "a HEIC",
            Some(b"crx") => "a raw photograph",
            _ => "a film",
        };
    }
    markup(bytes)
}

fn markup(bytes: &[u8]) -> &'static str {
    let start = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    if text.contains("<svg") {
        "an SVG"
    } else if text.starts_with("<!doctype html") || text.contains("<html") || text.contains("<script") {
        "a web page"
    } else if text.starts_with('<') {
        "an XML document"
    } else if std::str::from_utf8(start).is_ok() {
        "text"
    } else {
        "not a picture that we know"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_base::Kind;

    #[test]
    fn a_file_is_known_by_its_content_and_told_what_it_is() {
        let cases: [(&[u8], &str); 12] = [
            (b"GIF89a\x01\x00\x01\x00", "a GIF"),
            (b"GIF89a/*\x01*/=1;alert(1)", "a GIF"),
            (b"\x00\x00\x00\x18ftypheic\x00\x00", "a HEIC"),
            (b"\x00\x00\x00\x18ftypavif\x00\x00", "an AVIF"),
            (b"\x00\x00\x00\x18ftypmp42\x00\x00", "a film"),
            (b"II*\0\x08\0\0\0", "a TIFF or raw photograph"),
            (b"BM\x00\x00", "a BMP"),
            (b"%PDF-1.7\n\xff\xd8\xff", "a PDF"),
            (b"<?xml version='1.0'?><svg onload='x'/>", "an SVG"),
            ("\u{feff}  <!DOCTYPE html><p>".as_bytes(), "a web page"),
            (b"hello", "text"),
            (b"\x00\x01\x02\xf0\xff", "not a picture that we know"),
        ];
        for (bytes, what) in cases {
            let refused = format(bytes).unwrap_err();
            assert_eq!(refused, Refused::Unsupported { found: what });
            assert_eq!(refused.kind(), Kind::Unsupported);
            assert!(refused.to_string().ends_with("We take JPEG, PNG and WebP."));
        }
    }

    #[test]
    fn a_signature_that_is_not_complete_is_a_picture_cut_short() {
        for bytes in [&b"\xff"[..], b"\xff\xd8", b"\x89PN", b"RI", b"RIFF\x01\x00", b"RIFF\x01\0\0\0WEB"] {
            assert_eq!(format(bytes).unwrap_err().kind(), Kind::Invalid, "{bytes:?}");
        }
    }
}
