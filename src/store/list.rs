use sqlx::AssertSqlSafe;

/// Most values one statement may list.
pub const MOST_IN: usize = 500;

/// Fills the `$list` of a statement with `count` placeholders, numbered after the highest `$n` it has. Rounded up to
/// one of few sizes, so that few statements are prepared: bind what [`padding`] gives.
pub fn with_list(sql: &'static str, count: usize) -> AssertSqlSafe<String> {
    let highest = sql
        .split('$')
        .skip(1)
        .filter_map(|s| s.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse::<usize>().ok()))
        .max()
        .unwrap_or(0);
    let list: Vec<String> = (1..=padded(count)).map(|i| format!("${}", highest + i)).collect();
    AssertSqlSafe(sql.replace("$list", &list.join(", ")))
}

/// How many values a list of `count` must bind.
fn padded(count: usize) -> usize {
    [1, 8, 64].into_iter().find(|n| count <= *n).unwrap_or(MOST_IN)
}

/// The values to bind: `items`, and the last one again up to the padded size.
pub fn padding<T>(items: &[T]) -> impl Iterator<Item = &T> {
    let missing = padded(items.len()).saturating_sub(items.len());
    items.iter().chain(std::iter::repeat_n(items.last(), missing).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_numbered_after_the_other_values() {
        let AssertSqlSafe(sql) = with_list("DELETE FROM t WHERE a = $1 AND id IN ($list)", 3);
        assert_eq!(sql, "DELETE FROM t WHERE a = $1 AND id IN ($2, $3, $4, $5, $6, $7, $8, $9)");
        assert_eq!(padding(&["a", "b", "c"]).copied().collect::<String>(), "abcccccc");
    }
}
