-- The memories. Everything an export asks for is answered by the index below, page by page.
--
-- Times are text of a fixed width, such as 2026-01-15T10:30:00.038000000Z: always UTC, always nine digits of the fraction.
-- Their order as text is their order in time, and no year from 0000 to 9999 and no nanosecond is lost.
--
-- Categories are a JSON array. It keeps null, the empty list, order and repetitions, and comes with its row. A table of
-- its own would need a second query or an aggregate for every row that is read, and would save little: an export passes
-- all memories of a workspace in their order anyway, and looks into the array of those that meet the other conditions.
--
-- Import is the only writer. It stores JSON that is valid and compact.
CREATE TABLE IF NOT EXISTS memories (
	workspace_id     TEXT NOT NULL CHECK (workspace_id <> ''),
	id               TEXT NOT NULL CHECK (id <> ''),
	content          TEXT NOT NULL,
	user_id          TEXT,
	agent_id         TEXT,
	session_id       TEXT,
	priority         TEXT,
	status           TEXT,
	categories       TEXT,
	metadata         TEXT,
	access_count     INTEGER,
	last_accessed_at TEXT,
	created_at       TEXT NOT NULL CHECK (length(created_at) = 30),
	updated_at       TEXT,
	PRIMARY KEY (workspace_id, id)
) STRICT;

-- Text compares by its bytes here (the collation BINARY, SQLite's default), as the keys of an export do.
CREATE INDEX IF NOT EXISTS memories_in_order ON memories (workspace_id, created_at, id);

-- What the server itself remembers, such as its demo key.
CREATE TABLE IF NOT EXISTS settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT;
