//! EXIF: the two facts that we read before it goes, and the one block that we write.

use exif::{Context, In, Reader, Tag};

use super::{Carried, Orientation};

/// No camera writes more; what is longer is not parsed, only removed.
const MAX_READ: usize = 1 << 20;

/// What a block says that matters here.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Facts {
    pub(super) orientation: Option<Orientation>,
    pub(super) gps: bool,
    pub(super) thumbnail: bool,
}

impl Facts {
    pub(super) fn carries(self) -> impl Iterator<Item = Carried> {
        let gps = self.gps.then_some(Carried::Gps);
        gps.into_iter().chain(self.thumbnail.then_some(Carried::Thumbnail))
    }
}

/// Reads a block, a TIFF structure. A broken one gives what could be read; an orientation outside 1 to 8 is none.
pub(super) fn read(tiff: &[u8]) -> Facts {
    if tiff.len() > MAX_READ {
        return Facts::default();
    }
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    let Ok(block) = reader.read_raw(tiff.to_vec()).or_else(|e| e.distill_partial_result(|_| {})) else {
        return Facts::default();
    };
    let orientation = block.get_field(Tag::Orientation, In::PRIMARY);
    let orientation = orientation.and_then(|field| field.value.get_uint(0));
    Facts {
        orientation: orientation.and_then(|n| u8::try_from(n).ok()).and_then(Orientation::from_exif),
        gps: block.fields().any(|field| field.tag.context() == Context::Gps),
        thumbnail: block.fields().any(|field| field.ifd_num == In::THUMBNAIL),
    }
}

/// A block with the orientation and nothing else: a TIFF header, one directory, one entry (EXIF 3.0, 4.6.2).
/// `None` for a picture that is stored upright: it needs no block.
pub(super) fn orientation_only(orientation: Orientation) -> Option<[u8; 26]> {
    if orientation == Orientation::NoTransforms {
        return None;
    }
    let mut block = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    *block.get_mut(19)? = orientation.to_exif();
    Some(block)
}
