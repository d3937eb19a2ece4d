-- The accounts, one for each subject of a workspace, and all that belongs to them: the collections of an account archive,
-- a table for each. The key is also the order in which an archive lists the records, so that its index answers everything.
--
-- The order of uuid is that of its bytes, as in an archive. Times are kept as in memories. Decimal numbers are text, digit
-- for digit, where numeric would write 1e2 as 100; JSON is text as it came, and the JSON null is NULL. Import is the only
-- writer.
CREATE TABLE IF NOT EXISTS accounts (
	workspace_id      text COLLATE "C" NOT NULL CHECK (workspace_id <> ''),
	subject           text COLLATE "C" NOT NULL CHECK (subject <> ''),
	created_at        text NOT NULL,
	email             text NOT NULL,
	email_verified_at text,
	id                uuid NOT NULL,
	updated_at        text NOT NULL,
	PRIMARY KEY (workspace_id, subject)
);

CREATE TABLE IF NOT EXISTS account_commitments (
	workspace_id      text COLLATE "C" NOT NULL,
	subject           text COLLATE "C" NOT NULL,
	created_at        text NOT NULL,
	due_at            text,
	id                uuid NOT NULL,
	memory_id         uuid,
	next_surfacing_at text,
	owner             text,
	recurrence        text,
	resolved_at       text,
	status            text NOT NULL,
	updated_at        text NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_edges (
	workspace_id text COLLATE "C" NOT NULL,
	subject      text COLLATE "C" NOT NULL,
	created_at   text NOT NULL,
	created_by   text,
	edge_type    text NOT NULL,
	from_id      uuid NOT NULL,
	id           uuid NOT NULL,
	to_id        uuid NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_facts (
	workspace_id text COLLATE "C" NOT NULL,
	subject      text COLLATE "C" NOT NULL,
	confidence   double precision,
	created_at   text NOT NULL,
	id           uuid NOT NULL,
	memory_id    uuid NOT NULL,
	predicate    text NOT NULL,
	recorded_at  text NOT NULL,
	about        text NOT NULL, -- the subject of the fact
	valid_from   text,
	valid_to     text,
	value        text NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_llm_usage (
	workspace_id  text COLLATE "C" NOT NULL,
	subject       text COLLATE "C" NOT NULL,
	cost_usd      text NOT NULL,
	created_at    text NOT NULL,
	id            uuid NOT NULL,
	input_tokens  bigint NOT NULL,
	model         text NOT NULL,
	operation     text NOT NULL,
	output_tokens bigint NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_memories (
	workspace_id text COLLATE "C" NOT NULL,
	subject      text COLLATE "C" NOT NULL,
	content      text NOT NULL,
	created_at   text NOT NULL,
	id           uuid NOT NULL,
	memory_type  text NOT NULL,
	project      text,
	recorded_at  text,
	scope        text,
	status       text NOT NULL,
	tags         text[] NOT NULL,
	topic        text,
	updated_at   text NOT NULL,
	valid_from   text,
	valid_to     text,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_memory_events (
	workspace_id text COLLATE "C" NOT NULL,
	subject      text COLLATE "C" NOT NULL,
	actor_kind   text NOT NULL,
	created_at   text NOT NULL,
	event_kind   text NOT NULL,
	id           uuid NOT NULL,
	memory_id    uuid NOT NULL,
	payload      text,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_proposals (
	workspace_id text COLLATE "C" NOT NULL,
	subject      text COLLATE "C" NOT NULL,
	created_at   text NOT NULL,
	decided_at   text,
	edge_type    text NOT NULL,
	from_id      uuid NOT NULL,
	id           uuid NOT NULL,
	memory_type  text,
	rationale    text,
	similarity   double precision,
	status       text NOT NULL,
	to_id        uuid NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_scopes (
	workspace_id text COLLATE "C" NOT NULL,
	subject      text COLLATE "C" NOT NULL,
	aliases      text[] NOT NULL,
	created_at   text NOT NULL,
	id           uuid NOT NULL,
	name         text NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_subscriptions (
	workspace_id           text COLLATE "C" NOT NULL,
	subject                text COLLATE "C" NOT NULL,
	created_at             text NOT NULL,
	grace_ends_at          text,
	grandfathered          boolean NOT NULL,
	id                     uuid NOT NULL,
	status                 text NOT NULL,
	stripe_customer_id     text,
	stripe_subscription_id text,
	tier                   text NOT NULL,
	trial_ends_at          text,
	updated_at             text NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
);

CREATE TABLE IF NOT EXISTS account_user_budgets (
	workspace_id     text COLLATE "C" NOT NULL,
	subject          text COLLATE "C" NOT NULL,
	cap_usd_override text,
	id               uuid NOT NULL,
	period_end       text,
	period_start     text,
	updated_at       text NOT NULL,
	PRIMARY KEY (workspace_id, subject, id)
);
