pub(super) const VERSION_HASH: &str = "SELECT hash FROM policy_version WHERE tenant = $1 AND version = $2";
pub(super) const PUBLISH: &str = "INSERT INTO policy_version (tenant, version, effective_at, hash, source, published_at, entry) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
