//! What stands in an archive in the place of a picture that could not be read: a note in plain words.

use super::model::Head;
use super::person::Image;

/// Why a note stands where a picture ought to be, in the manifest.
pub(super) const WHY: &str = "its bytes are gone, or are not those that were stored";

/// The note.
pub(super) fn note(head: &Head, image: &Image) -> Vec<u8> {
    let Head { controller, reference, .. } = head;
    let (made, since) = (head.made_at.in_words(), image.at.in_words());
    let (alt, kind, len) = (&image.alt, &image.media_type, image.stored.len);
    let (hash, contact) = (hex::encode(image.stored.sha256), &controller.contact);
    let text = format!(
        "This picture is missing from your archive.\n\
        \n\
        {alt}\n\
        Kept since {since}\n\
        {kind}, {len} bytes\n\
        SHA-256 of the picture: {hash}\n\
        \n\
        It stands in our records. When this archive was made, {made}, we could not read it: its file is\n\
        gone, or is not the one that was stored. It is not your doing. We know of it, and somebody here\n\
        looks into it. Everything else in this archive is whole.\n\
        \n\
        If you want to ask about it, write to {contact} and name your request {reference}.\n"
    );
    text.into_bytes()
}
