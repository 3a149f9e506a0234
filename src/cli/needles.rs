//! Looking for words in every byte of a folder, in each form in which they could have been written.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What a search went through, and found.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Files read.
    pub(super) files: u64,
    /// Bytes read.
    pub(super) bytes: u64,
    /// Forms of words looked for.
    pub(super) forms: usize,
    /// Which word was found in which file.
    pub(super) found: Vec<(String, PathBuf)>,
}

/// A word in the forms in which it could lie in a file: as it is, in UTF-16, in hexadecimal, and in base 64 at each of
/// the three places where it can begin.
fn forms(word: &str) -> Vec<Vec<u8>> {
    let mut all = BTreeSet::new();
    for word in [word.to_owned(), word.to_lowercase(), word.to_uppercase()] {
        all.insert(word.as_bytes().to_vec());
        all.insert(word.encode_utf16().flat_map(u16::to_le_bytes).collect());
        all.insert(hex::encode(&word).into_bytes());
        all.insert(hex::encode_upper(&word).into_bytes());
        for before in 0..3_usize {
            let mut padded = vec![0; before];
            padded.extend_from_slice(word.as_bytes());
            // Whole groups of three alone, and past those that hold a part of what stood before.
            let (from, whole) = (before.div_ceil(3) * 4, padded.len() / 3 * 4);
            for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
                all.extend(text.get(from..whole).filter(|t| t.len() >= 8).map(|t| t.as_bytes().to_vec()));
            }
        }
    }
    all.into_iter().collect()
}

/// What to look for, all at once: one pass over the bytes, however many there are.
struct Needles<W> {
    /// By their first two bytes.
    by_start: HashMap<[u8; 2], Vec<(W, Vec<u8>)>>,
    forms: usize,
}

impl<W: Copy + Ord> Needles<W> {
    fn new(all: impl IntoIterator<Item = (W, Vec<u8>)>) -> Self {
        let mut needles = Self { by_start: HashMap::new(), forms: 0 };
        for (word, form) in all {
            if let Some(start) = form.first_chunk::<2>().copied() {
                needles.forms += 1;
                needles.by_start.entry(start).or_default().push((word, form));
            }
        }
        needles
    }

    /// What `bytes` hold of them.
    fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<W> {
        let mut starts = vec![false; 1 << 16];
        for [a, b] in self.by_start.keys() {
            if let Some(start) = starts.get_mut(usize::from(u16::from_be_bytes([*a, *b]))) {
                *start = true;
            }
        }
        let mut found = BTreeSet::new();
        for (at, pair) in bytes.array_windows::<2>().enumerate() {
            if starts.get(usize::from(u16::from_be_bytes(*pair))) != Some(&true) {
                continue;
            }
            let from = bytes.get(at..).unwrap_or_default();
            let here = self.by_start.get(pair).into_iter().flatten();
            found.extend(here.filter(|(_, form)| from.starts_with(form)).map(|(word, _)| *word));
        }
        found
    }
}

/// Words, each in all its forms.
fn in_all_forms<'w>(words: &[&'w str]) -> Needles<&'w str> {
    Needles::new(words.iter().flat_map(|word| forms(word).into_iter().map(|form| (*word, form))))
}

/// Whether `bytes` hold a word, in any form.
pub(super) fn holds(bytes: &[u8], word: &str) -> bool {
    !in_all_forms(&[word]).in_bytes(bytes).is_empty()
}

/// Reads every file below a folder and looks for each word, in the files and in their names.
pub(super) fn search(folder: &Path, words: &[&str]) -> anyhow::Result<Search> {
    let needles = in_all_forms(words);
    let mut search = Search { forms: needles.forms, ..Search::default() };
    each_file(folder, |path, bytes, len| {
        search.files += u64::from(len.is_some());
        search.bytes += len.unwrap_or(0);
        search.found.extend(needles.in_bytes(bytes).into_iter().map(|w| (w.to_owned(), path.to_owned())));
    })?;
    Ok(search)
}

/// As [`search`], for bytes as they are. Gives which of them, and in which file.
pub(super) fn search_bytes(folder: &Path, all: &[&[u8]]) -> anyhow::Result<Vec<(usize, PathBuf)>> {
    let needles = Needles::new(all.iter().map(|bytes| bytes.to_vec()).enumerate());
    let mut found = Vec::new();
    each_file(folder, |path, bytes, _| {
        found.extend(needles.in_bytes(bytes).into_iter().map(|n| (n, path.to_owned())));
    })?;
    Ok(found)
}

/// Hands over everything below a folder: its name and, of a file, what is in it, with its length.
fn each_file(folder: &Path, mut see: impl FnMut(&Path, &[u8], Option<u64>)) -> anyhow::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let mut bytes = path.file_name().unwrap_or_default().as_encoded_bytes().to_vec();
            let mut len = None;
            if path.is_dir() {
                folders.push(path.clone());
            } else {
                let inside = fs::read(&path)?;
                len = Some(inside.len() as u64);
                bytes.push(0);
                bytes.extend(inside);
            }
            see(&path, &bytes, len);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_each_form_it_could_have() {
        let word = "heron-3f9a1c07";
        let utf16: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for hidden in [
            format!("name={word};").into_bytes(),
            word.to_uppercase().into_bytes(),
            utf16,
            hex::encode(word).into_bytes(),
            STANDARD_NO_PAD.encode(format!("x{word}y")).into_bytes(),
            STANDARD_NO_PAD.encode(format!("xy{word}z")).into_bytes(),
            URL_SAFE_NO_PAD.encode(format!("xyz{word}")).into_bytes(),
        ] {
            assert!(holds(&hidden, word), "{}", String::from_utf8_lossy(&hidden));
        }
        assert!(!holds(b"heron-3f9a1c08", word));
        assert!(!holds(b"", word));
    }

    #[test]
    fn names_of_files_and_folders_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("of-heron-3f9a1c07")).unwrap();
        fs::write(dir.path().join("of-heron-3f9a1c07/heron-3f9a1c07.txt"), "heron").unwrap();
        let found = search(dir.path(), &["heron-3f9a1c07"]).unwrap();
        assert_eq!((found.files, found.bytes, found.found.len()), (1, 5, 2));
        let found = search_bytes(dir.path(), &[b"egret", b"heron-3f"]).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(n, _)| *n == 1));
    }
}
