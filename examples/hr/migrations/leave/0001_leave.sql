-- The days of one employee. The last CHECK is what "never negative" rests on, whatever the code above it does.
CREATE TABLE account (
    employee INTEGER PRIMARY KEY,
    entitled INTEGER NOT NULL CHECK (entitled >= 0),
    taken    INTEGER NOT NULL DEFAULT 0 CHECK (taken >= 0),
    pending  INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
    CHECK (entitled - taken - pending >= 0)
) STRICT;

-- What the entitled days are made of.
CREATE TABLE entitlement (
    grant_key TEXT    PRIMARY KEY,
    employee  INTEGER NOT NULL REFERENCES account (employee),
    days      INTEGER NOT NULL CHECK (days > 0)
) STRICT;

-- Grants that were revoked: a late repetition of one finds itself here, and is refused.
CREATE TABLE revoked_grant (
    grant_key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What the taken and the pending days are made of.
CREATE TABLE request (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    request_key TEXT    NOT NULL UNIQUE,
    employee    INTEGER NOT NULL REFERENCES account (employee),
    days        INTEGER NOT NULL CHECK (days > 0),
    state       TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'rejected'))
) STRICT;

CREATE INDEX request_by_employee ON request (employee, id);
