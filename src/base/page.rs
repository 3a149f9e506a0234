//! Pages of results.

/// How many rows a page may hold: 1 to 200, 50 unless asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The size asked for; `None` outside 1 to 200.
    pub fn new(n: u32) -> Option<Self> {
        u16::try_from(n).ok().filter(|n| (1..=200).contains(n)).map(Self)
    }

    /// Rows a page.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}

/// One page, and the place where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The key of the last row when more may follow, to be handed back as `after`.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `rows`, fetched with one more than `size`, into a page; `key` names a row.
    pub fn cut(mut rows: Vec<T>, size: PageSize, key: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > size.get();
        rows.truncate(size.get());
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }

    /// The same page with each row changed.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_more_follows() {
        let size = PageSize::new(2).unwrap();
        let page = Page::cut(vec![1, 2, 3], size, ToString::to_string);
        assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
        assert_eq!(Page::cut(vec![1, 2], size, ToString::to_string).next, None);
        assert!(PageSize::new(0).is_none() && PageSize::new(201).is_none());
    }
}
