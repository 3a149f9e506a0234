//! CSV as the archive writes it: RFC 4180 (CRLF, quotes doubled), UTF-8 without a byte order mark, and no cell that a
//! spreadsheet would run.

/// A table of texts as CSV. Rows shorter than the header are filled up, longer ones keep their cells.
///
/// Every cell goes through [`safe_cell`]; the JSON beside each table has the values exactly as they are.
pub fn table_csv<I, R, S>(headers: &[&str], rows: I) -> Vec<u8>
where
    I: IntoIterator<Item = R>,
    R: IntoIterator<Item = S>,
    S: AsRef<str>,
{
    let mut out =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
    // Writing to memory has nothing to fail on.
    let _ = out.write_record(headers.iter().map(|h| safe_cell(h)));
    for row in rows {
        let mut cells: Vec<String> = row.into_iter().map(|c| safe_cell(c.as_ref())).collect();
        cells.resize(cells.len().max(headers.len()), String::new());
        let _ = out.write_record(&cells);
    }
    out.into_inner().unwrap_or_default()
}

/// `text`, made harmless to spreadsheets (F05, ASVS 1.2.10): a cell that begins with `=`, `+`, `-`, `@`, a tab, a
/// return or a newline, or with the full-width form of such a sign, gets an apostrophe before it. Spaces before the
/// sign do not hide it. A plain negative number, as in `-12.50`, is no formula and stays a number.
pub fn safe_cell(text: &str) -> String {
    let dangerous = text.starts_with(['\t', '\r', '\n'])
        || text
            .trim_start()
            .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}']);
    if dangerous && !is_negative_number(text) { format!("'{text}") } else { text.to_owned() }
}

fn is_negative_number(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix('-').is_some_and(|n| match n.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(n),
    })
}

/// A JSON value as the text of a cell: a string as it is, nothing for null, compact JSON for what has parts.
pub(super) fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(csv: &[u8]) -> Vec<Vec<String>> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(csv)
            .records()
            .map(|r| r.unwrap().iter().map(str::to_owned).collect())
            .collect()
    }

    #[test]
    fn a_formula_cannot_run() {
        for (from, to) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("@sum", "'@sum"),
            ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
            ("\tx", "'\tx"),
            ("\r=1", "'\r=1"),
            ("  =1", "'  =1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("\u{ff20}a", "'\u{ff20}a"),
            ("-5", "-5"),
            ("-5.25", "-5.25"),
            ("-5-5", "'-5-5"),
            ("-", "'-"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(safe_cell(from), to, "{from:?}");
        }
    }

    #[test]
    fn lines_end_as_the_rfc_says_and_long_text_survives() {
        let long = "x".repeat(1 << 20);
        let csv = table_csv(&["a", "b"], [vec!["say \"hi\", you", "two\nlines\0"], vec![long.as_str()]]);
        assert!(csv.starts_with(b"a,b\r\n\"say \"\"hi\"\", you\",\"two\nlines\0\"\r\n"));
        assert_eq!(read(&csv)[2], [long, String::new()]);
    }

    proptest! {
        #[test]
        fn every_table_reads_back(rows in prop::collection::vec(prop::collection::vec("\\PC*|[=+@\",\r\n\t-]{0,6}", 2), 0..8)) {
            let csv = table_csv(&["a", "b"], rows.iter().map(|r| r.iter().map(String::as_str)));
            let back = read(&csv);
            prop_assert_eq!(back.len(), rows.len() + 1);
            for (got, put) in back.iter().skip(1).zip(&rows) {
                for (got, put) in got.iter().zip(put) {
                    prop_assert!(got == put || got.strip_prefix('\'') == Some(put));
                    prop_assert!(!got.trim_start().starts_with(['=', '+', '@']));
                }
            }
        }
    }
}
