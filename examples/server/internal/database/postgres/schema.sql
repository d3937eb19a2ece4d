-- The memories. Everything an export asks for is answered by the index below, page by page.
--
-- Times are text of a fixed width, such as 2026-01-15T10:30:00.038000000Z: always UTC, always nine digits of the fraction.
-- What is imported has nanoseconds, and timestamptz has microseconds. A host whose columns are timestamptz selects them as
-- they are: package pgrows reads both.
--
-- Keys and times have the collation "C", the order of bytes: that is the order of the keys of an export, and that of times
-- of this form. It does not change when the operating system's idea of an alphabet does, and with it an index.
--
-- Metadata is text, since jsonb keeps neither the order of names nor numbers as they were written. Import is the only
-- writer. It stores JSON that is valid and compact.
CREATE TABLE IF NOT EXISTS memories (
	workspace_id     text COLLATE "C" NOT NULL CHECK (workspace_id <> ''),
	id               text COLLATE "C" NOT NULL CHECK (id <> ''),
	content          text NOT NULL,
	user_id          text COLLATE "C",
	agent_id         text COLLATE "C",
	session_id       text COLLATE "C",
	priority         text COLLATE "C",
	status           text COLLATE "C",
	categories       text[] COLLATE "C",
	metadata         text,
	access_count     bigint,
	last_accessed_at text COLLATE "C",
	created_at       text COLLATE "C" NOT NULL CHECK (length(created_at) = 30),
	updated_at       text COLLATE "C",
	PRIMARY KEY (workspace_id, id)
);

CREATE INDEX IF NOT EXISTS memories_in_order ON memories (workspace_id, created_at, id);

-- What the servers themselves remember, such as their demo key.
CREATE TABLE IF NOT EXISTS settings (
	name  text PRIMARY KEY,
	value text NOT NULL
);

