package slack

// schema are the tables of this package; times are Unix milliseconds.
var schema = []string{`
CREATE TABLE slack_inbox (
	team TEXT NOT NULL, channel TEXT NOT NULL, ts TEXT NOT NULL,
	kind TEXT NOT NULL,
	thread TEXT NOT NULL,
	usr TEXT NOT NULL,
	text TEXT NOT NULL,
	rev TEXT NOT NULL DEFAULT '',
	reply TEXT NOT NULL DEFAULT '',
	foreigner INTEGER NOT NULL DEFAULT 0,
	deleted INTEGER NOT NULL DEFAULT 0,
	stopped INTEGER NOT NULL DEFAULT 0,
	state TEXT NOT NULL,
	owner TEXT NOT NULL DEFAULT '',
	lease INTEGER NOT NULL DEFAULT 0,
	attempts INTEGER NOT NULL DEFAULT 0,
	posting INTEGER NOT NULL DEFAULT 0,
	told TEXT NOT NULL DEFAULT '',
	parts TEXT NOT NULL DEFAULT '',
	error TEXT NOT NULL DEFAULT '',
	created INTEGER NOT NULL,
	PRIMARY KEY (team, channel, ts));
CREATE INDEX slack_inbox_pending ON slack_inbox (lease) WHERE state = 'pending';
CREATE INDEX slack_inbox_waiting ON slack_inbox (created) WHERE state = 'waiting';
CREATE INDEX slack_inbox_thread ON slack_inbox (team, channel, thread);
CREATE TABLE slack_threads (
	team TEXT NOT NULL, channel TEXT NOT NULL, thread TEXT NOT NULL,
	since TEXT NOT NULL,
	PRIMARY KEY (team, channel, thread));
CREATE TABLE slack_answers (
	id TEXT PRIMARY KEY,
	team TEXT NOT NULL, channel TEXT NOT NULL, ts TEXT NOT NULL, rev TEXT NOT NULL,
	usr TEXT NOT NULL, persona TEXT NOT NULL,
	private INTEGER NOT NULL DEFAULT 0,
	shared_by TEXT NOT NULL DEFAULT '', shared_at INTEGER NOT NULL DEFAULT 0,
	answer TEXT NOT NULL,
	created INTEGER NOT NULL);
CREATE INDEX slack_answers_question ON slack_answers (team, channel, ts);
CREATE TABLE slack_feedback (
	answer TEXT NOT NULL, usr TEXT NOT NULL,
	good INTEGER NOT NULL, reason TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
	created INTEGER NOT NULL,
	PRIMARY KEY (answer, usr));
CREATE TABLE slack_settings (
	team TEXT NOT NULL, channel TEXT NOT NULL,
	listen TEXT NOT NULL, audience TEXT NOT NULL, documents TEXT NOT NULL DEFAULT '',
	changed_by TEXT NOT NULL, changed INTEGER NOT NULL,
	PRIMARY KEY (team, channel));
CREATE TABLE slack_subscriptions (
	id INTEGER PRIMARY KEY,
	team TEXT NOT NULL, channel TEXT NOT NULL, usr TEXT NOT NULL,
	kind TEXT NOT NULL, value TEXT NOT NULL,
	created INTEGER NOT NULL,
	UNIQUE (team, channel, usr, kind, value));
CREATE TABLE slack_alerts (
	subscription INTEGER NOT NULL, event TEXT NOT NULL,
	body TEXT NOT NULL, internal INTEGER NOT NULL DEFAULT 0,
	state TEXT NOT NULL DEFAULT 'pending',
	owner TEXT NOT NULL DEFAULT '', lease INTEGER NOT NULL DEFAULT 0,
	posting INTEGER NOT NULL DEFAULT 0,
	created INTEGER NOT NULL,
	PRIMARY KEY (subscription, event));
CREATE INDEX slack_alerts_pending ON slack_alerts (lease) WHERE state = 'pending';
CREATE TABLE slack_edits (channel TEXT PRIMARY KEY, next INTEGER NOT NULL);
`, `
CREATE TABLE slack_marks (name TEXT PRIMARY KEY, value TEXT NOT NULL);
`, `
CREATE INDEX slack_inbox_created ON slack_inbox (created);
CREATE INDEX slack_answers_created ON slack_answers (created);
CREATE INDEX slack_threads_since ON slack_threads (since);
`}
