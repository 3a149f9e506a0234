//! Cursors of lists: the place where the next page begins, with a MAC, so that nobody can make one up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::Fault;
use crate::base::{Kind, PageSize};
use crate::crypto::{self, Key};

/// Makes and reads cursors.
#[derive(Clone, Debug)]
pub struct Cursor(Key);

const MAC: usize = 16;

impl Cursor {
    pub(super) fn new(key: Key) -> Self {
        Self(key)
    }

    fn tag(&self, list: &str, place: &str) -> [u8; 32] {
        crypto::mac(&self.0, format!("{list}\0{place}").as_bytes())
    }

    /// A cursor of `list` (a route and whose it is) at `place`.
    pub fn write(&self, list: &str, place: &str) -> String {
        let mut bytes = self.tag(list, place).get(..MAC).unwrap_or_default().to_vec();
        bytes.extend_from_slice(place.as_bytes());
        BASE64.encode(bytes)
    }

    /// The place of a cursor of the same list; malformed otherwise.
    pub fn read(&self, list: &str, cursor: &str) -> Result<String, Fault> {
        let bad = || Fault::because(Kind::Malformed, "the cursor is not one of this list");
        let bytes = BASE64.decode(cursor).map_err(|_| bad())?;
        let (mac, place) = bytes.split_at_checked(MAC).ok_or_else(bad)?;
        let place = std::str::from_utf8(place).map_err(|_| bad())?;
        let expected = self.tag(list, place);
        let same = expected.get(..MAC).is_some_and(|e| crypto::same(e, mac));
        if same { Ok(place.to_owned()) } else { Err(bad()) }
    }

    /// A page's size as asked for: 1 to 200.
    pub fn size(asked: Option<u32>) -> Result<PageSize, Fault> {
        let bad = || Fault::because(Kind::Invalid, "limit must be between 1 and 200");
        asked.map_or(Ok(PageSize::default()), |n| PageSize::new(n).ok_or_else(bad))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let cursors = Cursor::new(Key::from_bytes([7; 32]));
        let cursor = cursors.write("edits/sub_1", "edt_9");
        assert_eq!(cursors.read("edits/sub_1", &cursor).unwrap(), "edt_9");
        assert!(cursors.read("edits/sub_2", &cursor).is_err());
        for bad in ["", "!", "AAAA", &cursor[1..], &format!("{cursor}A")] {
            assert!(cursors.read("edits/sub_1", bad).is_err(), "{bad}");
        }
    }
}
