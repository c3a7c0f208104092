"""The queue's tables and every statement that touches them.

A job's row has columns for what SQL needs; `payload` is the whole job as SAQ serializes it. If
they differ, the column `status` is right. Times are epoch seconds, in the payload milliseconds.
"""

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    key TEXT NOT NULL,
    status TEXT NOT NULL,
    priority INTEGER NOT NULL,
    group_key TEXT,
    scheduled REAL NOT NULL,
    expire_at REAL,
    payload TEXT NOT NULL,
    UNIQUE (queue, key)
);
CREATE INDEX IF NOT EXISTS job_in_turn ON job (queue, status, priority, scheduled);
CREATE VIEW IF NOT EXISTS claimable AS
SELECT * FROM job
WHERE status = 'queued' AND NOT EXISTS (
    SELECT 1 FROM job AS running
    WHERE running.queue = job.queue
      AND running.status IN ('active', 'aborting')
      AND running.group_key = job.group_key
);
CREATE TABLE IF NOT EXISTS worker (
    id TEXT PRIMARY KEY,
    queue TEXT NOT NULL,
    info TEXT NOT NULL,
    expire_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS sweeper (
    queue TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until REAL NOT NULL
);
"""

ENQUEUE = """
INSERT INTO job (queue, key, status, priority, group_key, scheduled, payload)
VALUES (:queue, :key, :status, :priority, :group_key, :scheduled, :payload)
ON CONFLICT (queue, key) DO UPDATE SET
    status = excluded.status,
    priority = excluded.priority,
    group_key = excluded.group_key,
    scheduled = excluded.scheduled,
    expire_at = NULL,
    payload = excluded.payload
WHERE job.status IN ('aborted', 'complete', 'failed')
RETURNING key
"""

# For a job that was enqueued while the clock was ahead, or waits to be retried.
MOVE_UP = """
UPDATE job SET scheduled = :scheduled, payload = json_set(payload, '$.scheduled', :scheduled)
WHERE queue = :queue AND key = :key AND status = 'queued' AND scheduled > :scheduled
RETURNING key
"""

# The start is recorded together with the claim, so that a sweep does not mistake a job just claimed
# for an abandoned one.
CLAIM = """
UPDATE job SET
    status = 'active',
    payload = json_set(
        payload,
        '$.started', CAST(:now * 1000 AS INTEGER),
        '$.touched', CAST(:now * 1000 AS INTEGER)
    )
WHERE id = (
    SELECT id FROM claimable
    WHERE queue = :queue AND priority BETWEEN :lowest AND :highest AND scheduled <= :now
    ORDER BY priority, scheduled, id
    LIMIT 1
)
RETURNING payload, status
"""

SECONDS_UNTIL_DUE = """
SELECT min(scheduled) - :now FROM claimable
WHERE queue = :queue AND priority BETWEEN :lowest AND :highest
"""

# When a job starts, an abort since its claim must not be overwritten.
UPDATE = """
UPDATE job SET
    payload = :payload,
    scheduled = coalesce(nullif(:scheduled, 0), scheduled),
    status = CASE
        WHEN :status IS NULL THEN status
        WHEN :status = 'active' AND status IN ('aborting', 'aborted') THEN status
        ELSE :status
    END
WHERE queue = :queue AND key = :key
RETURNING status
"""

ABORT = """
UPDATE job SET
    status = CASE WHEN status IN ('new', 'queued') THEN 'aborted' ELSE 'aborting' END,
    payload = json_set(payload, '$.error', :error)
WHERE queue = :queue AND key = :key AND status IN ('new', 'queued', 'active', 'aborting')
RETURNING status
"""

# Aborting has no effect on a job that was queued again or has ended otherwise.
FINISH = """
UPDATE job SET status = :status, expire_at = :now + nullif(:ttl, 0), payload = :payload
WHERE queue = :queue AND key = :key
  AND NOT (:status = 'aborted' AND status IN ('queued', 'complete', 'failed'))
"""

FINISH_AND_FORGET = """
DELETE FROM job
WHERE queue = :queue AND key = :key
  AND NOT (:status = 'aborted' AND status IN ('queued', 'complete', 'failed'))
"""

BY_KEYS = """
SELECT payload, status FROM job
WHERE queue = :queue AND key IN (SELECT value FROM json_each(:keys))
"""

BY_STATUS = """
SELECT payload, status FROM job
WHERE queue = :queue AND key > :last AND status IN (SELECT value FROM json_each(:statuses))
ORDER BY key
LIMIT :limit
"""

RUNNING = """
SELECT payload, status FROM job
WHERE queue = :queue AND status IN ('active', 'aborting')
"""

SOONEST = """
SELECT payload, status FROM job
WHERE queue = :queue AND status IN ('new', 'queued', 'active')
ORDER BY scheduled, id
LIMIT :limit OFFSET :offset
"""

COUNT = {
    "queued": """
        SELECT count(*) FROM job
        WHERE queue = :queue AND status = 'queued' AND scheduled <= :now
    """,
    "active": """
        SELECT count(*) FROM job
        WHERE queue = :queue AND status = 'active'
    """,
    "incomplete": """
        SELECT count(*) FROM job
        WHERE queue = :queue AND status IN ('new', 'queued', 'active')
    """,
}

# A report is valid for a minute. One valid for more than an hour was made while the clock was
# ahead.
WORKERS = """
SELECT id, info FROM worker
WHERE queue = :queue AND expire_at BETWEEN :now AND :now + 3600
"""

SEE_WORKER = """
INSERT INTO worker (id, queue, info, expire_at) VALUES (:id, :queue, :info, :now + :ttl)
ON CONFLICT (id) DO UPDATE SET info = excluded.info, expire_at = excluded.expire_at
"""

HOLD_SWEEPER = """
INSERT INTO sweeper (queue, holder, until) VALUES (:queue, :holder, :now + :seconds)
ON CONFLICT (queue) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE holder = excluded.holder OR until NOT BETWEEN :now AND :now + :seconds
RETURNING queue
"""

FORGET_JOBS = """
DELETE FROM job
WHERE queue = :queue AND status IN ('aborted', 'complete', 'failed') AND expire_at <= :now
"""

FORGET_WORKERS = """
DELETE FROM worker
WHERE queue = :queue AND expire_at NOT BETWEEN :now AND :now + 3600
"""

# A job whose start or last report is in the future, because the clock was ahead, counts from now.
# Otherwise it would not be swept until then, even if its worker has died.
COUNT_FROM_NOW = """
UPDATE job SET payload = json_set(
    payload,
    '$.started', min(json_extract(payload, '$.started'), CAST(:now * 1000 AS INTEGER)),
    '$.touched', min(json_extract(payload, '$.touched'), CAST(:now * 1000 AS INTEGER))
)
WHERE queue = :queue AND status IN ('active', 'aborting')
  AND max(json_extract(payload, '$.started'), json_extract(payload, '$.touched')) > :now * 1000
"""
