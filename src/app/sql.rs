pub(super) const OPEN_RESTORATION: &str = "SELECT COUNT(*) FROM restoration WHERE done_at IS NULL";
pub(super) const ANYBODY: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM subject LIMIT 1) AS one";
