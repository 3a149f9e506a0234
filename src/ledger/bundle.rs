use super::Error;

/// An entry bundle (C2SP tlog-tiles): each entry with its length before it, two bytes, big end first.
pub(super) fn write<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for entry in entries {
        let length =
            u16::try_from(entry.len()).map_err(|_| Error::BadEntry("it is longer than 65535 bytes"))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// The entries of a bundle.
pub(super) fn read(mut bundle: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>().ok_or(Error::Malformed("an entry bundle"))?;
        let (entry, rest) = rest
            .split_at_checked(u16::from_be_bytes(*length).into())
            .ok_or(Error::Malformed("an entry bundle"))?;
        entries.push(entry);
        bundle = rest;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bundle_reads_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
            let bundle = write(entries.iter().map(Vec::as_slice)).unwrap();
            prop_assert_eq!(read(&bundle).unwrap(), entries);
        }

        #[test]
        fn reading_a_bundle_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(entries) = read(&bytes) {
                prop_assert_eq!(write(entries).unwrap(), bytes);
            }
        }
    }
}
