-- The jobs. Times are nanoseconds since 1970-01-01T00:00:00Z, 0 for a time that is not set.
CREATE TABLE dataexport_jobs (
    id               TEXT    NOT NULL PRIMARY KEY,
    version          INTEGER NOT NULL,
    workspace_id     TEXT    NOT NULL,
    subject          TEXT    NOT NULL,
    dataset          TEXT    NOT NULL,
    format           TEXT    NOT NULL,
    personal         INTEGER NOT NULL,
    filter           TEXT    NOT NULL, -- JSON
    status           TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    started_at       INTEGER NOT NULL,
    completed_at     INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    held_until       INTEGER NOT NULL,
    attempts         INTEGER NOT NULL,
    progress_records INTEGER NOT NULL,
    progress_total   INTEGER,          -- null where the source cannot count
    error_code       TEXT,             -- null unless the job has failed
    error_message    TEXT,
    record_count     INTEGER NOT NULL,
    file_size        INTEGER NOT NULL,
    sha256           TEXT    NOT NULL,
    blob_key         TEXT    NOT NULL,
    idempotency_key  TEXT    NOT NULL,
    fingerprint      TEXT    NOT NULL
) STRICT;

-- For List.
CREATE INDEX dataexport_jobs_by_age ON dataexport_jobs (workspace_id, created_at DESC, id DESC);

-- For the replay of an idempotency key. A personal job hides its key from all other subjects.
CREATE UNIQUE INDEX dataexport_jobs_by_key
    ON dataexport_jobs (workspace_id, idempotency_key, personal, CASE personal WHEN 0 THEN '' ELSE subject END)
    WHERE idempotency_key <> '';

-- For Claim and the quota of active jobs. The status is in it so that the index alone will do.
CREATE INDEX dataexport_jobs_active ON dataexport_jobs (workspace_id, created_at, id, held_until, status)
    WHERE status IN ('PENDING', 'PROCESSING');

-- For Claim: the jobs of a workspace that are held by a lease.
CREATE INDEX dataexport_jobs_held ON dataexport_jobs (workspace_id, held_until) WHERE status = 'PROCESSING';

-- For WaitForWork: when the next lease or delay ends.
CREATE INDEX dataexport_jobs_next ON dataexport_jobs (held_until) WHERE status IN ('PENDING', 'PROCESSING');

-- For the quota of ready jobs.
CREATE INDEX dataexport_jobs_ready ON dataexport_jobs (workspace_id, expires_at) WHERE status = 'READY';

-- For Due: files to remove, jobs whose file has been removed, and failed jobs.
CREATE INDEX dataexport_jobs_files ON dataexport_jobs (expires_at)
    WHERE status IN ('READY', 'EXPIRED') AND blob_key <> '';
CREATE INDEX dataexport_jobs_swept ON dataexport_jobs (expires_at)
    WHERE status IN ('READY', 'EXPIRED') AND blob_key = '';
CREATE INDEX dataexport_jobs_failed ON dataexport_jobs (completed_at) WHERE status = 'FAILED';

-- When each workspace was last given a job, as the number of that claim. A row outlives the jobs of its workspace, so that
-- deleting them is no way to the front of the queue.
CREATE TABLE dataexport_workspaces (
    workspace_id TEXT    NOT NULL PRIMARY KEY,
    served       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX dataexport_workspaces_served ON dataexport_workspaces (served);
