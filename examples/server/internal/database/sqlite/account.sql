-- The accounts, one for each subject of a workspace, and all that belongs to them: the collections of an account archive,
-- a table for each. The key is also the order in which an archive lists the records, so that its index answers everything.
--
-- Ids are the sixteen bytes of a UUID; their order as bytes is that of an archive. Times and lists are kept as in memories.
-- Decimal numbers and JSON are text, digit for digit; the JSON null is NULL. REAL is exact but for the sign of -0, which
-- SQLite does not keep. Import is the only writer.
CREATE TABLE IF NOT EXISTS accounts (
	workspace_id      TEXT NOT NULL CHECK (workspace_id <> ''),
	subject           TEXT NOT NULL CHECK (subject <> ''),
	created_at        TEXT NOT NULL,
	email             TEXT NOT NULL,
	email_verified_at TEXT,
	id                BLOB NOT NULL CHECK (length(id) = 16),
	updated_at        TEXT NOT NULL,
	PRIMARY KEY (workspace_id, subject)
) STRICT;

CREATE TABLE IF NOT EXISTS account_commitments (
	workspace_id      TEXT NOT NULL,
	subject           TEXT NOT NULL,
	created_at        TEXT NOT NULL,
	due_at            TEXT,
	id                BLOB NOT NULL CHECK (length(id) = 16),
	memory_id         BLOB,
	next_surfacing_at TEXT,
	owner             TEXT,
	recurrence        TEXT,
	resolved_at       TEXT,
	status            TEXT NOT NULL,
	updated_at        TEXT NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_edges (
	workspace_id TEXT NOT NULL,
	subject      TEXT NOT NULL,
	created_at   TEXT NOT NULL,
	created_by   TEXT,
	edge_type    TEXT NOT NULL,
	from_id      BLOB NOT NULL,
	id           BLOB NOT NULL CHECK (length(id) = 16),
	to_id        BLOB NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_facts (
	workspace_id TEXT NOT NULL,
	subject      TEXT NOT NULL,
	confidence   REAL,
	created_at   TEXT NOT NULL,
	id           BLOB NOT NULL CHECK (length(id) = 16),
	memory_id    BLOB NOT NULL,
	predicate    TEXT NOT NULL,
	recorded_at  TEXT NOT NULL,
	about        TEXT NOT NULL, -- the subject of the fact
	valid_from   TEXT,
	valid_to     TEXT,
	value        TEXT NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_llm_usage (
	workspace_id  TEXT NOT NULL,
	subject       TEXT NOT NULL,
	cost_usd      TEXT NOT NULL,
	created_at    TEXT NOT NULL,
	id            BLOB NOT NULL CHECK (length(id) = 16),
	input_tokens  INTEGER NOT NULL,
	model         TEXT NOT NULL,
	operation     TEXT NOT NULL,
	output_tokens INTEGER NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_memories (
	workspace_id TEXT NOT NULL,
	subject      TEXT NOT NULL,
	content      TEXT NOT NULL,
	created_at   TEXT NOT NULL,
	id           BLOB NOT NULL CHECK (length(id) = 16),
	memory_type  TEXT NOT NULL,
	project      TEXT,
	recorded_at  TEXT,
	scope        TEXT,
	status       TEXT NOT NULL,
	tags         TEXT NOT NULL,
	topic        TEXT,
	updated_at   TEXT NOT NULL,
	valid_from   TEXT,
	valid_to     TEXT,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_memory_events (
	workspace_id TEXT NOT NULL,
	subject      TEXT NOT NULL,
	actor_kind   TEXT NOT NULL,
	created_at   TEXT NOT NULL,
	event_kind   TEXT NOT NULL,
	id           BLOB NOT NULL CHECK (length(id) = 16),
	memory_id    BLOB NOT NULL,
	payload      TEXT,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_proposals (
	workspace_id TEXT NOT NULL,
	subject      TEXT NOT NULL,
	created_at   TEXT NOT NULL,
	decided_at   TEXT,
	edge_type    TEXT NOT NULL,
	from_id      BLOB NOT NULL,
	id           BLOB NOT NULL CHECK (length(id) = 16),
	memory_type  TEXT,
	rationale    TEXT,
	similarity   REAL,
	status       TEXT NOT NULL,
	to_id        BLOB NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_scopes (
	workspace_id TEXT NOT NULL,
	subject      TEXT NOT NULL,
	aliases      TEXT NOT NULL,
	created_at   TEXT NOT NULL,
	id           BLOB NOT NULL CHECK (length(id) = 16),
	name         TEXT NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_subscriptions (
	workspace_id           TEXT NOT NULL,
	subject                TEXT NOT NULL,
	created_at             TEXT NOT NULL,
	grace_ends_at          TEXT,
	grandfathered          INTEGER NOT NULL CHECK (grandfathered IN (0, 1)),
	id                     BLOB NOT NULL CHECK (length(id) = 16),
	status                 TEXT NOT NULL,
	stripe_customer_id     TEXT,
	stripe_subscription_id TEXT,
	tier                   TEXT NOT NULL,
	trial_ends_at          TEXT,
	updated_at             TEXT NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;

CREATE TABLE IF NOT EXISTS account_user_budgets (
	workspace_id     TEXT NOT NULL,
	subject          TEXT NOT NULL,
	cap_usd_override TEXT,
	id               BLOB NOT NULL CHECK (length(id) = 16),
	period_end       TEXT,
	period_start     TEXT,
	updated_at       TEXT NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
) STRICT;
