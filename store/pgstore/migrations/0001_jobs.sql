-- The jobs. A time that is not set is null.
CREATE TABLE dataexport_jobs (
    id               uuid        NOT NULL PRIMARY KEY,
    version          bigint      NOT NULL,
    workspace_id     text        NOT NULL COLLATE "C",
    subject          text        NOT NULL COLLATE "C",
    dataset          text        NOT NULL COLLATE "C",
    format           text        NOT NULL COLLATE "C",
    personal         boolean     NOT NULL,
    filter           text        NOT NULL, -- JSON; not of type jsonb, which cannot hold \u0000
    status           text        NOT NULL COLLATE "C",
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    started_at       timestamptz,
    completed_at     timestamptz,
    expires_at       timestamptz,
    held_until       timestamptz NOT NULL, -- -infinity if it is not set, so that it compares
    attempts         integer     NOT NULL,
    progress_records bigint      NOT NULL,
    progress_total   bigint,               -- null where the source cannot count
    error_code       text,                 -- null unless the job has failed
    error_message    text,
    record_count     bigint      NOT NULL,
    file_size        bigint      NOT NULL,
    sha256           text        NOT NULL,
    blob_key         text        NOT NULL,
    idempotency_key  text        NOT NULL COLLATE "C",
    fingerprint      text        NOT NULL COLLATE "C"
) WITH (
    -- Most rows change a few times and then rest. What is dead must not stay in the way of those who look for work.
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);

-- For List.
CREATE INDEX dataexport_jobs_by_age ON dataexport_jobs (workspace_id, created_at DESC, id DESC);

-- For the replay of an idempotency key. A personal job hides its key from all other subjects.
CREATE UNIQUE INDEX dataexport_jobs_by_key
    ON dataexport_jobs (workspace_id, idempotency_key, personal, (CASE WHEN personal THEN subject ELSE '' END))
    WHERE idempotency_key <> '';

-- For Claim and the quota of active jobs.
CREATE INDEX dataexport_jobs_active ON dataexport_jobs (workspace_id, created_at, id) INCLUDE (held_until)
    WHERE status IN ('PENDING', 'PROCESSING');

-- For Claim: the jobs that are held by a lease.
CREATE INDEX dataexport_jobs_held ON dataexport_jobs (held_until, workspace_id) WHERE status = 'PROCESSING';

-- For WaitForWork and Stats: when the next lease or delay ends.
CREATE INDEX dataexport_jobs_next ON dataexport_jobs (held_until, created_at) WHERE status IN ('PENDING', 'PROCESSING');

-- For the quota of ready jobs.
CREATE INDEX dataexport_jobs_ready ON dataexport_jobs (workspace_id, expires_at) WHERE status = 'READY';

-- For Due: files to remove, jobs whose file has been removed, and failed jobs.
CREATE INDEX dataexport_jobs_files ON dataexport_jobs (expires_at) WHERE status IN ('READY', 'EXPIRED') AND blob_key <> '';
CREATE INDEX dataexport_jobs_swept ON dataexport_jobs (expires_at) WHERE status IN ('READY', 'EXPIRED') AND blob_key = '';
CREATE INDEX dataexport_jobs_failed ON dataexport_jobs (completed_at) WHERE status = 'FAILED';

-- When each workspace was last given a job: as a number that only grows, and by the clock. A row outlives the jobs of its
-- workspace, so that deleting them is no way to the front of the queue.
CREATE TABLE dataexport_workspaces (
    workspace_id text        NOT NULL PRIMARY KEY COLLATE "C",
    served       bigint      NOT NULL,
    served_at    timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE SEQUENCE dataexport_served;
