//! JSON as the archive writes it: keys in the order of the schema, free fields in alphabetical order, two spaces, a
//! newline at the end. The same value always gives the same bytes, and a person can read them.

use serde::Serialize;

/// `value` in this form. Written straight through: a manifest of a hundred thousand files is not built as a tree first.
pub(super) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = serde_json::to_vec_pretty(value)?;
    out.push(b'\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    /// Holds as long as `serde_json` is built without `preserve_order`, which would make the bytes depend on the order
    /// in which fields were once stored.
    #[test]
    fn the_order_of_free_fields_does_not_matter() {
        let a = serde_json::json!({"b": 1, "a": {"d": 2, "c": 3}});
        let b = serde_json::json!({"a": {"c": 3, "d": 2}, "b": 1});
        assert_eq!(super::write(&a).unwrap(), super::write(&b).unwrap());
        assert!(super::write(&a).unwrap().starts_with(b"{\n  \"a\": {\n    \"c\": 3"));
    }
}
