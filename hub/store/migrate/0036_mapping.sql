-- +goose Up
-- Every change of a mapping rule, kept for good: who, when, from what to what.
CREATE TABLE rule_change (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    version  INTEGER NOT NULL,             -- of the set with this change in it, 0 = not known
    role     TEXT NOT NULL,
    code     TEXT NOT NULL,
    location TEXT NOT NULL,
    since    TEXT NOT NULL,
    who      TEXT NOT NULL,
    reason   TEXT NOT NULL,
    before   TEXT NOT NULL,                -- target as JSON, '' = the rule is new
    after    TEXT NOT NULL
) STRICT;

CREATE INDEX rule_change_code ON rule_change (role, code);

-- What was changed before stands in the audit trail, which names role and code; place and date are those of the rule that says so now.
INSERT INTO rule_change (at, version, role, code, location, since, who, reason, before, after)
SELECT s.at, 0, substr(s.subject, 9, instr(s.subject, ':') - 9), substr(s.subject, instr(s.subject, ':') + 1),
    COALESCE((SELECT r.location FROM rule r WHERE 'mapping ' || r.role || ':' || r.code = s.subject AND r.target = s.after ORDER BY r.since DESC LIMIT 1), ''),
    COALESCE((SELECT r.since FROM rule r WHERE 'mapping ' || r.role || ':' || r.code = s.subject AND r.target = s.after ORDER BY r.since DESC LIMIT 1), ''),
    s.who, s.reason, s.before, s.after
FROM step s WHERE s.subject LIKE 'mapping %:%' AND s.what = 'set' ORDER BY s.id;

-- Whose work a version of a ticket is: a rule may set cashiers apart. What was booked before does not say.
ALTER TABLE entry ADD COLUMN cashier TEXT NOT NULL DEFAULT '';
