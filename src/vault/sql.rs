pub(super) const INSERT_RECORD: &str = "INSERT INTO record (id, tenant, subject, category, name, revision, sealed, parent, \
    facts, policy_version, rule, kfp, created_at, updated_at, due_at, done) \
    VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14)";
pub(super) const RECORD: &str = "SELECT id, category, name, revision, sealed, parent, facts, policy_version, rule, \
    done, created_at, updated_at, due_at FROM record WHERE tenant = $1 AND subject = $2 AND id = $3";
pub(super) const RECORD_NAMED: &str = "SELECT id, category, name, revision, sealed, parent, facts, policy_version, rule, \
    done, created_at, updated_at, due_at FROM record WHERE tenant = $1 AND subject = $2 AND category = $3 AND name = $4 \
    ORDER BY id DESC LIMIT 1";
pub(super) const RECORDS: &str = "SELECT id, category, name, revision, sealed, parent, facts, policy_version, rule, \
    done, created_at, updated_at, due_at FROM record WHERE tenant = $1 AND subject = $2 AND category = $3 AND id > $4 \
    ORDER BY id LIMIT $5";
pub(super) const RECORDS_OF: &str = "SELECT id, category, name, revision, sealed, parent, facts, policy_version, rule, \
    done, created_at, updated_at, due_at FROM record WHERE tenant = $1 AND subject = $2 AND parent = $3 ORDER BY id";
/// Changes nothing, and holds the row until the end of the transaction.
pub(super) const HOLD_RECORD: &str = "UPDATE record SET revision = revision \
    WHERE tenant = $1 AND subject = $2 AND id = $3 AND revision = $4";
pub(super) const AMEND_RECORD: &str = "UPDATE record SET sealed = $1, kfp = $2, revision = revision + 1, updated_at = $3 \
    WHERE tenant = $4 AND subject = $5 AND id = $6 AND revision = $7";

pub(super) const INSERT_OBJECT: &str = "INSERT INTO object (id, tenant, subject, category, state, blob_key, parent, facts, \
    policy_version, rule, created_at, due_at, expires_at) VALUES ($1, $2, $3, $4, 'arriving', $5, $6, $7, $8, $9, $10, $11, $12)";
pub(super) const LAND_OBJECT: &str = "UPDATE object SET state = 'live', cipher_len = $1, meta = $2, kfp = $3, \
    expires_at = NULL WHERE tenant = $4 AND subject = $5 AND id = $6 AND state = 'arriving'";
pub(super) const OBJECT: &str = "SELECT id, category, blob_key, cipher_len, meta, kfp, parent, facts, policy_version, rule, \
    created_at, due_at FROM object WHERE tenant = $1 AND subject = $2 AND id = $3 AND state = 'live'";
pub(super) const OBJECTS: &str = "SELECT id, category, blob_key, cipher_len, meta, kfp, parent, facts, policy_version, rule, \
    created_at, due_at FROM object WHERE tenant = $1 AND subject = $2 AND category = $3 AND state = 'live' AND id > $4 \
    ORDER BY id LIMIT $5";
pub(super) const OBJECTS_NEWEST: &str = "SELECT id, category, blob_key, cipher_len, meta, kfp, parent, facts, policy_version, \
    rule, created_at, due_at FROM object WHERE tenant = $1 AND subject = $2 AND category = $3 AND state = 'live' \
    AND (CAST($4 AS TEXT) IS NULL OR id < $4) ORDER BY id DESC LIMIT $5";
pub(super) const EXPIRED_ARRIVALS: &str = "SELECT id, tenant, blob_key FROM object WHERE state <> 'live' \
    AND (state = 'deleting' OR (expires_at < $1 AND created_at > $2)) ORDER BY id LIMIT 500";
pub(super) const RESTORED_AT: &str = "SELECT MAX(done_at) FROM restoration";
/// From here on it cannot land.
pub(super) const GIVE_UP_ARRIVAL: &str =
    "UPDATE object SET state = 'deleting' WHERE tenant = $1 AND id = $2 AND state <> 'live'";
pub(super) const LIVE_AT: &str = "SELECT COUNT(*) FROM object WHERE tenant = $1 AND id = $2";
pub(super) const DROP_ARRIVAL: &str =
    "DELETE FROM object WHERE tenant = $1 AND id = $2 AND state = 'deleting'";

pub(super) const PARENT_OBJECT: &str = "UPDATE object SET parent = $1 WHERE tenant = $2 AND subject = $3 AND id = $4 \
    AND state = 'live' AND COALESCE(parent, '') = $5";
pub(super) const FACTS_OF_SQLITE: &str = "SELECT 'object', id, category, facts, policy_version, '' FROM object \
    WHERE tenant = $1 AND subject = $2 AND parent = $3 AND state = 'live' \
    UNION ALL SELECT 'record', id, category, facts, policy_version, done FROM record \
    WHERE tenant = $1 AND subject = $2 AND parent = $3";
/// Held until the end of the transaction, in the order of ids: what one adds another must not overwrite.
pub(super) const FACTS_OF_POSTGRES: &str = "SELECT * FROM (SELECT 'object', id, category, facts, policy_version, '' FROM object \
    WHERE tenant = $1 AND subject = $2 AND parent = $3 AND state = 'live' ORDER BY id FOR UPDATE) o \
    UNION ALL SELECT * FROM (SELECT 'record', id, category, facts, policy_version, done FROM record \
    WHERE tenant = $1 AND subject = $2 AND parent = $3 ORDER BY id FOR UPDATE) r";
pub(super) const FACTS_IN_SQLITE: &str = "SELECT 'object', id, category, facts, policy_version, '' FROM object \
    WHERE tenant = $1 AND subject = $2 AND category = $3 AND state = 'live' \
    UNION ALL SELECT 'record', id, category, facts, policy_version, done FROM record \
    WHERE tenant = $1 AND subject = $2 AND category = $3";
pub(super) const FACTS_IN_POSTGRES: &str = "SELECT * FROM (SELECT 'object', id, category, facts, policy_version, '' FROM object \
    WHERE tenant = $1 AND subject = $2 AND category = $3 AND state = 'live' ORDER BY id FOR UPDATE) o \
    UNION ALL SELECT * FROM (SELECT 'record', id, category, facts, policy_version, done FROM record \
    WHERE tenant = $1 AND subject = $2 AND category = $3 ORDER BY id FOR UPDATE) r";
/// What does not know yet that its owner's account was closed, a page of each kind.
pub(super) const UNCLOSED_SQLITE: &str = "SELECT * FROM (SELECT 'object', id, category, facts, policy_version, '' FROM object \
    WHERE tenant = $1 AND subject = $2 AND state = 'live' AND facts NOT LIKE $3 ORDER BY id LIMIT 500) o \
    UNION ALL SELECT * FROM (SELECT 'record', id, category, facts, policy_version, done FROM record \
    WHERE tenant = $1 AND subject = $2 AND facts NOT LIKE $3 ORDER BY id LIMIT 500) r";
pub(super) const UNCLOSED_POSTGRES: &str = "SELECT * FROM (SELECT 'object', id, category, facts, policy_version, '' FROM object \
    WHERE tenant = $1 AND subject = $2 AND state = 'live' AND facts NOT LIKE $3 ORDER BY id LIMIT 500 FOR UPDATE) o \
    UNION ALL SELECT * FROM (SELECT 'record', id, category, facts, policy_version, done FROM record \
    WHERE tenant = $1 AND subject = $2 AND facts NOT LIKE $3 ORDER BY id LIMIT 500 FOR UPDATE) r";
/// Rules carried out, and what follows: only of the revision that they were carried out on.
pub(super) const RECORD_REDUCED: &str = "UPDATE record SET done = $1, rule = $2, due_at = $3 \
    WHERE tenant = $4 AND subject = $5 AND id = $6 AND revision = $7";
pub(super) const SET_OBJECT_FACTS: &str =
    "UPDATE object SET facts = $1, rule = $2, due_at = $3 WHERE tenant = $4 AND id = $5";
pub(super) const SET_RECORD_FACTS: &str =
    "UPDATE record SET facts = $1, rule = $2, due_at = $3 WHERE tenant = $4 AND id = $5";

pub(super) const BLOBS_BETWEEN: &str =
    "SELECT blob_key, cipher_len, state FROM object WHERE blob_key >= $1 AND blob_key < $2";
pub(super) const GRAVES_BETWEEN: &str =
    "SELECT blob_key FROM blob_grave WHERE blob_key >= $1 AND blob_key < $2";
pub(super) const BLOB_LIVES: &str = "SELECT COUNT(*) FROM object WHERE blob_key = $1 AND state = 'live'";

pub(super) const DUE_OBJECTS: &str = "SELECT o.id, o.subject, o.category, o.blob_key, o.rule, o.due_at, o.kfp FROM object o \
    WHERE o.tenant = $1 AND o.due_at <= $2 AND o.state = 'live' AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.tenant = o.tenant \
    AND h.released_at IS NULL AND (h.subject IS NULL OR h.subject = o.subject) \
    AND (h.category IS NULL OR h.category = o.category)) ORDER BY o.due_at, o.id LIMIT $3";
pub(super) const DUE_RECORDS: &str = "SELECT r.id, r.subject, r.category, r.revision, r.rule, r.due_at, r.kfp FROM record r \
    WHERE r.tenant = $1 AND r.due_at <= $2 AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.tenant = r.tenant \
    AND h.released_at IS NULL AND (h.subject IS NULL OR h.subject = r.subject) \
    AND (h.category IS NULL OR h.category = r.category)) ORDER BY r.due_at, r.id LIMIT $3";
pub(super) const DOOM_OBJECT: &str = "SELECT id, subject, category, blob_key, rule, due_at, kfp FROM object \
    WHERE tenant = $1 AND subject = $2 AND id = $3 AND state = 'live'";
pub(super) const DOOM_RECORD: &str = "SELECT id, subject, category, revision, rule, due_at, kfp FROM record \
    WHERE tenant = $1 AND subject = $2 AND id = $3";
pub(super) const PERSON_OBJECTS: &str = "SELECT id, subject, category, blob_key, rule, due_at, kfp FROM object \
    WHERE tenant = $1 AND subject = $2 ORDER BY id LIMIT 500";
pub(super) const PERSON_RECORDS: &str = "SELECT id, subject, category, revision, rule, due_at, kfp FROM record \
    WHERE tenant = $1 AND subject = $2 ORDER BY id LIMIT 500";
pub(super) const CATEGORY_OBJECTS: &str = "SELECT id, subject, category, blob_key, rule, due_at, kfp FROM object \
    WHERE tenant = $1 AND subject = $2 AND category = $3 ORDER BY id LIMIT 500";
pub(super) const CATEGORY_RECORDS: &str = "SELECT id, subject, category, revision, rule, due_at, kfp FROM record \
    WHERE tenant = $1 AND subject = $2 AND category = $3 ORDER BY id LIMIT 500";
pub(super) const DOOM_OBJECTS: &str = "UPDATE object SET due_at = $2, rule = NULL WHERE tenant = $1 \
    AND (due_at IS NULL OR due_at > $2) AND id IN ($list)";
pub(super) const DOOM_RECORDS: &str = "UPDATE record SET due_at = $2, rule = NULL WHERE tenant = $1 \
    AND (due_at IS NULL OR due_at > $2) AND id IN ($list)";
pub(super) const DELETE_OBJECTS: &str =
    "DELETE FROM object WHERE tenant = $1 AND id IN ($list) RETURNING id, CAST(0 AS BIGINT), kfp";
pub(super) const DELETE_RECORDS: &str =
    "DELETE FROM record WHERE tenant = $1 AND id IN ($list) RETURNING id, revision, kfp";

pub(super) const DOOMED_OBJECTS: &str = "SELECT id, subject, category, blob_key, rule, due_at, kfp FROM object \
    WHERE tenant = $1 AND id IN ($list)";
pub(super) const DOOMED_RECORDS: &str = "SELECT id, subject, category, revision, rule, due_at, kfp FROM record \
    WHERE tenant = $1 AND id IN ($list)";
pub(super) const OBJECTS_WITH_KEY: &str = "SELECT COUNT(*) FROM object WHERE kfp IN ($list)";
pub(super) const BORNE: &str = "SELECT kfp FROM record WHERE kfp IN ($list)";
pub(super) const RECORDS_WITH_KEY: &str = "SELECT COUNT(*) FROM record WHERE kfp IN ($list)";
/// In the order of the keys, as a store lists its blobs.
pub(super) const BLOBS_KNOWN: &str =
    "SELECT blob_key, state FROM object WHERE blob_key > $1 ORDER BY blob_key LIMIT 1000";
pub(super) const LANDED_OBJECTS: &str =
    "SELECT id FROM object WHERE id > $1 AND state = 'live' ORDER BY id LIMIT 500";
pub(super) const ALL_RECORDS: &str = "SELECT id, revision FROM record WHERE id > $1 ORDER BY id LIMIT 500";
pub(super) const BURY_LATER: &str = "INSERT INTO blob_grave (blob_key, tenant, buried_at, next_at, deletions) \
    VALUES ($1, $2, $3, $4, 0) ON CONFLICT (blob_key) DO NOTHING";

pub(super) const BURY: &str = "INSERT INTO blob_grave (blob_key, tenant, buried_at, next_at, deletions) \
    VALUES ($1, $2, $3, $3, 0) ON CONFLICT (blob_key) DO NOTHING";
pub(super) const GRAVES: &str =
    "SELECT blob_key, buried_at, deletions FROM blob_grave WHERE next_at <= $1 ORDER BY next_at LIMIT 500";
pub(super) const GRAVE_MISSED: &str = "UPDATE blob_grave SET next_at = $1 WHERE blob_key = $2";
pub(super) const GRAVE_VISITED: &str =
    "UPDATE blob_grave SET deletions = deletions + 1, next_at = $1 WHERE blob_key = $2";
pub(super) const GRAVE_CLOSED: &str = "DELETE FROM blob_grave WHERE blob_key = $1";
pub(super) const GRAVES_FRESH: &str = "SELECT COUNT(*) FROM blob_grave WHERE tenant = $1 AND deletions = 0";
pub(super) const GRAVES_OWED: &str =
    "SELECT blob_key FROM blob_grave WHERE tenant = $1 AND deletions = 0 AND blob_key IN ($list)";

pub(super) const HOLDINGS: &str = "SELECT category, 'object', COUNT(*), MIN(due_at), MIN(created_at) FROM object \
    WHERE tenant = $1 AND subject = $2 AND state = 'live' GROUP BY category UNION ALL \
    SELECT category, 'record', COUNT(*), MIN(due_at), MIN(created_at) FROM record \
    WHERE tenant = $1 AND subject = $2 GROUP BY category";
pub(super) const COUNT_OBJECTS: &str = "SELECT COUNT(*) FROM object WHERE tenant = $1 AND subject = $2";
pub(super) const COUNT_RECORDS: &str = "SELECT COUNT(*) FROM record WHERE tenant = $1 AND subject = $2";
/// What is past its time and on hold counts as held, not as due: the sweep leaves it, rightly.
pub(super) const BOARD: &str = "SELECT category, COALESCE(rule, ''), COUNT(*), CAST(SUM(CASE WHEN due_at <= $2 THEN 1 - held ELSE 0 END) AS BIGINT), \
    CAST(SUM(held) AS BIGINT), MIN(CASE WHEN held = 0 THEN due_at END), MIN(created_at) FROM (SELECT category, rule, due_at, created_at, \
    CASE WHEN due_at <= $2 AND EXISTS (SELECT 1 FROM hold h WHERE h.tenant = o.tenant AND h.released_at IS NULL \
    AND (h.subject IS NULL OR h.subject = o.subject) AND (h.category IS NULL OR h.category = o.category)) THEN 1 ELSE 0 END AS held \
    FROM object o WHERE o.tenant = $1 AND o.state = 'live') o_held GROUP BY category, rule UNION ALL \
    SELECT category, COALESCE(rule, ''), COUNT(*), CAST(SUM(CASE WHEN due_at <= $2 THEN 1 - held ELSE 0 END) AS BIGINT), \
    CAST(SUM(held) AS BIGINT), MIN(CASE WHEN held = 0 THEN due_at END), MIN(created_at) FROM (SELECT category, rule, due_at, created_at, \
    CASE WHEN due_at <= $2 AND EXISTS (SELECT 1 FROM hold h WHERE h.tenant = r.tenant AND h.released_at IS NULL \
    AND (h.subject IS NULL OR h.subject = r.subject) AND (h.category IS NULL OR h.category = r.category)) THEN 1 ELSE 0 END AS held \
    FROM record r WHERE r.tenant = $1) r_held GROUP BY category, rule";

pub(super) const STANDING: &str =
    "SELECT state, generation, restricted_at, closed_at FROM subject WHERE tenant = $1 AND id = $2";
/// Held until the end of the transaction, so that no fence is put up beside a write.
pub(super) const STANDING_HELD_POSTGRES: &str =
    "SELECT state, generation, restricted_at, closed_at FROM subject WHERE tenant = $1 AND id = $2 FOR SHARE";
pub(super) const CONSENT: &str = "SELECT state, at, policy_version FROM consent_event WHERE tenant = $1 AND subject = $2 AND purpose = $3 \
    ORDER BY at DESC, id DESC LIMIT 1";
/// Also what has not landed yet: its clock runs.
pub(super) const HELD_OBJECTS: &str = "SELECT o.id, o.category, o.policy_version, o.facts, '', o.due_at, \
    CAST(CASE WHEN EXISTS (SELECT 1 FROM hold h WHERE h.tenant = o.tenant AND h.released_at IS NULL \
    AND (h.subject IS NULL OR h.subject = o.subject) AND (h.category IS NULL OR h.category = o.category)) THEN 1 ELSE 0 END \
    AS BIGINT) FROM object o WHERE o.tenant = $1 AND o.id > $2 ORDER BY o.id LIMIT $3";
pub(super) const HELD_RECORDS: &str = "SELECT r.id, r.category, r.policy_version, r.facts, r.done, r.due_at, \
    CAST(CASE WHEN EXISTS (SELECT 1 FROM hold h WHERE h.tenant = r.tenant AND h.released_at IS NULL \
    AND (h.subject IS NULL OR h.subject = r.subject) AND (h.category IS NULL OR h.category = r.category)) THEN 1 ELSE 0 END \
    AS BIGINT) FROM record r WHERE r.tenant = $1 AND r.id > $2 ORDER BY r.id LIMIT $3";
pub(super) const HASTEN_OBJECT: &str = "UPDATE object SET rule = $1, due_at = $2 WHERE tenant = $3 AND id = $4 \
    AND facts = $5 AND (due_at IS NULL OR due_at > $2)";
pub(super) const HASTEN_RECORD: &str = "UPDATE record SET rule = $1, due_at = $2 WHERE tenant = $3 AND id = $4 \
    AND facts = $5 AND (due_at IS NULL OR due_at > $2)";
pub(super) const OPEN_LOOK: &str = "INSERT INTO look (id, tenant, subject, staff, purpose, at, until_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
/// One that a second person agreed to comes first.
pub(super) const LOOK: &str = "SELECT id, approved_by FROM look WHERE tenant = $1 AND subject = $2 AND staff = $3 \
    AND purpose = $4 AND until_at > $5 ORDER BY CASE WHEN approved_by IS NULL THEN 1 ELSE 0 END, at DESC LIMIT 1";
pub(super) const APPROVE_LOOK: &str = "UPDATE look SET approved_by = $1, approved_at = $2 WHERE tenant = $3 AND id = $4 \
    AND staff <> $1 AND approved_by IS NULL AND until_at > $2 RETURNING subject";
pub(super) const WAITING_LOOKS: &str = "SELECT id, subject, staff, purpose, at FROM look WHERE tenant = $1 AND staff <> $2 \
    AND approved_by IS NULL AND until_at > $3 ORDER BY at LIMIT 100";
pub(super) const EXPIRE_LOOKS: &str = "DELETE FROM look WHERE until_at < $1";
/// Of the person's own: one that anybody can have filed in their name lets nobody look.
pub(super) const OPEN_REQUESTS: &str = "SELECT COUNT(*) FROM request WHERE tenant = $1 AND subject = $2 \
    AND state IN ('received', 'acknowledged', 'grace', 'working')";
pub(super) const BLOB_KEYS: &str = "SELECT id, blob_key FROM object WHERE tenant = $1 AND subject = $2 AND id > $3 \
    ORDER BY id LIMIT 1000";
pub(super) const PARENT_OBJECTS: &str = "SELECT id, subject, category, blob_key, rule, due_at, kfp FROM object \
    WHERE tenant = $1 AND subject = $2 AND parent = $3 ORDER BY id LIMIT 500";
pub(super) const PARENT_RECORDS: &str = "SELECT id, subject, category, revision, rule, due_at, kfp FROM record \
    WHERE tenant = $1 AND subject = $2 AND parent = $3 ORDER BY id LIMIT 500";
pub(super) const HOLDS: &str = "SELECT category FROM hold WHERE tenant = $1 AND (subject IS NULL OR subject = $2) \
    AND released_at IS NULL";
pub(super) const HOLDS_IN: &str =
    "SELECT subject, category FROM hold WHERE tenant = $1 AND released_at IS NULL";

/// Everything of a tenant in the order of ids, with whether a hold keeps it; with a record the image it is kept beside.
pub(super) const STOCK_OBJECTS: &str = "SELECT o.id, o.category, o.facts, o.policy_version, o.rule, o.due_at, \
    CAST(CASE WHEN EXISTS (SELECT 1 FROM hold h WHERE h.tenant = o.tenant AND h.released_at IS NULL \
    AND (h.subject IS NULL OR h.subject = o.subject) AND (h.category IS NULL OR h.category = o.category)) \
    THEN 1 ELSE 0 END AS BIGINT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), \
    CAST(NULL AS BIGINT), CAST(0 AS BIGINT), '' FROM object o WHERE o.tenant = $1 AND o.state = 'live' AND o.id > $2 \
    ORDER BY o.id LIMIT $3";
pub(super) const STOCK_RECORDS: &str = "SELECT r.id, r.category, r.facts, r.policy_version, r.rule, r.due_at, \
    CAST(CASE WHEN EXISTS (SELECT 1 FROM hold h WHERE h.tenant = r.tenant AND h.released_at IS NULL \
    AND (h.subject IS NULL OR h.subject = r.subject) AND (h.category IS NULL OR h.category = r.category)) \
    THEN 1 ELSE 0 END AS BIGINT), o.category, o.facts, o.policy_version, o.rule, o.due_at, \
    CAST(CASE WHEN EXISTS (SELECT 1 FROM hold h WHERE h.tenant = o.tenant AND h.released_at IS NULL \
    AND (h.subject IS NULL OR h.subject = o.subject) AND (h.category IS NULL OR h.category = o.category)) \
    THEN 1 ELSE 0 END AS BIGINT), r.done FROM record r LEFT JOIN object o ON o.tenant = r.tenant AND o.id = r.parent \
    AND o.state = 'live' WHERE r.tenant = $1 AND r.id > $2 ORDER BY r.id LIMIT $3";
pub(super) const REACH: &str = "SELECT COUNT(*), COUNT(DISTINCT subject) FROM (SELECT subject, category FROM object \
    WHERE tenant = $1 AND state = 'live' UNION ALL SELECT subject, category FROM record WHERE tenant = $1) held \
    WHERE category IN ($list)";
pub(super) const TRACE_OBJECT: &str = "SELECT subject, category, state, parent, facts, '', policy_version, rule, \
    created_at, due_at FROM object WHERE tenant = $1 AND id = $2";
pub(super) const TRACE_RECORD: &str = "SELECT subject, category, 'live', parent, facts, done, policy_version, rule, \
    created_at, due_at FROM record WHERE tenant = $1 AND id = $2";
/// As [`DUE_OBJECTS`] for rules that no legal hold stops.
pub(super) const DUE_UNHOLDABLE_OBJECTS: &str = "SELECT id, subject, category, blob_key, rule, due_at, kfp FROM object \
    WHERE tenant = $1 AND due_at <= $2 AND state = 'live' AND category || '/' || rule IN ($list) ORDER BY due_at, id LIMIT $3";
pub(super) const DUE_UNHOLDABLE_RECORDS: &str = "SELECT id, subject, category, revision, rule, due_at, kfp FROM record \
    WHERE tenant = $1 AND due_at <= $2 AND category || '/' || rule IN ($list) ORDER BY due_at, id LIMIT $3";

pub(super) const HOLDER: &str = "SELECT since FROM holder WHERE tenant = $1 AND id = $2";
pub(super) const INSERT_HOLDER: &str = "INSERT INTO holder (id, tenant, since) VALUES ($1, $2, $3)";
pub(super) const HOLDER_UNTIL: &str = "UPDATE holder SET until_at = $1 WHERE tenant = $2 AND id = $3";
/// Holders in whose name nothing is kept any more.
pub(super) const EMPTY_HOLDERS: &str = "SELECT id FROM holder WHERE tenant = $1 AND until_at <= $2 AND NOT EXISTS \
    (SELECT 1 FROM record r WHERE r.tenant = holder.tenant AND r.subject = holder.id) ORDER BY id LIMIT 100";
pub(super) const DELETE_HOLDER: &str = "DELETE FROM holder WHERE tenant = $1 AND id = $2";
pub(super) const KEPT_OF: &str = "SELECT category, COUNT(*), MAX(due_at) FROM record WHERE tenant = $1 AND subject = $2 \
    GROUP BY category ORDER BY category";

pub(super) const COUNT_MONTH: &str = "SELECT COUNT(*), COUNT(DISTINCT subject) FROM (SELECT subject FROM object \
    WHERE tenant = $1 AND category = $2 AND state = 'live' AND created_at >= $3 AND created_at < $4 \
    UNION ALL SELECT subject FROM record WHERE tenant = $1 AND category = $2 AND created_at >= $3 AND created_at < $4) m";
pub(super) const INSERT_COUNT: &str = "INSERT INTO anonymous_count (tenant, category, month, things, people, at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, category, month) DO NOTHING";
pub(super) const COUNTED: &str =
    "SELECT COUNT(*) FROM anonymous_count WHERE tenant = $1 AND category = $2 AND month = $3";
pub(super) const ANONYMOUS_COUNTS: &str = "SELECT category, month, things, people FROM anonymous_count WHERE tenant = $1 \
    ORDER BY category, month";
pub(super) const CREATED_OF: &str = "SELECT id, created_at FROM object WHERE tenant = $1 AND id IN ($list) \
    UNION ALL SELECT id, created_at FROM record WHERE tenant = $1 AND id IN ($list)";
