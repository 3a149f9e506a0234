//! One spelling of a JSON value: RFC 8785 (JCS), restricted to numbers that are whole and below 2^53, so that any
//! library that speaks RFC 8785 spells the same bytes.

use serde_json::Value;

use super::Error;

/// The largest whole number that every JSON reader keeps exactly: 2^53 − 1 (RFC 8785 §3.1, RFC 7493).
pub(super) const LARGEST: i64 = 9_007_199_254_740_991;

const DEEPEST: u8 = 32;

/// The canonical bytes of `value`: no spaces, members sorted by the UTF-16 code units of their names.
pub(super) fn canonical(value: &Value) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    write(value, &mut out, DEEPEST)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>, deeper: u8) -> Result<(), Error> {
    let deeper = deeper.checked_sub(1).ok_or(Error::BadEntry("details are nested too deep"))?;
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(n) => {
            let whole = n.as_i64().filter(|n| (-LARGEST..=LARGEST).contains(n));
            let whole = whole.ok_or(Error::BadEntry("numbers in details are whole and below 2^53"))?;
            out.extend_from_slice(whole.to_string().as_bytes());
        }
        Value::String(s) => string(s, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out, deeper)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (i, (name, member)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                string(name, out)?;
                out.push(b':');
                write(member, out, deeper)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn string(s: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(out, s).map_err(|_| Error::BadEntry("a string of the details cannot be written"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_by_utf16_as_rfc_8785_shows() {
        // RFC 8785 §3.2.3: the surrogate pair of the smiley sorts before U+FB33.
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "\r": 3, "1": 4, "\u{80}": 5, "ö": 6, "€": 7});
        let text = String::from_utf8(canonical(&value).unwrap()).unwrap();
        assert_eq!(text, "{\"\\r\":3,\"1\":4,\"\u{80}\":5,\"ö\":6,\"€\":7,\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn control_characters_are_escaped_as_rfc_8785_says() {
        let text = String::from_utf8(canonical(&json!("\u{8}\t\n\u{c}\r\"\\\u{1f}/é")).unwrap()).unwrap();
        assert_eq!(text, "\"\\b\\t\\n\\f\\r\\\"\\\\\\u001f/é\"");
    }

    #[test]
    fn what_has_more_than_one_spelling_is_refused() {
        for bad in [json!(1.5), json!(9_007_199_254_740_992_u64), json!(u64::MAX)] {
            assert!(canonical(&json!([bad])).is_err());
        }
        let mut deep = json!(1);
        for _ in 0..40 {
            deep = json!([deep]);
        }
        assert!(canonical(&deep).is_err());
    }
}
