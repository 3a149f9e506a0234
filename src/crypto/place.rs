/// Where a ciphertext belongs, as associated data: each part with its length before it, so that no two places look
/// alike. Opening anything at another place fails.
#[derive(Debug, Clone)]
pub struct Place(Vec<u8>);

impl Place {
    /// A place in `table`.
    pub fn new(table: &'static str) -> Self {
        Self(Vec::with_capacity(160)).with(table.as_bytes())
    }

    /// Associated data as somebody else's test vectors have it.
    #[cfg(test)]
    pub(super) fn raw(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The same place, one part more exact.
    #[must_use]
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        self.0.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(part);
        self
    }

    /// The same place, one number more exact.
    #[must_use]
    pub fn number(self, n: i64) -> Self {
        self.with(n.to_be_bytes())
    }

    /// The bytes to authenticate.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
