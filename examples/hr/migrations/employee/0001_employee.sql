-- One row per person on file. AUTOINCREMENT: a number that was given out is not given out again,
-- even when its hire was withdrawn.
CREATE TABLE employee (
    number           INTEGER PRIMARY KEY AUTOINCREMENT CHECK (number BETWEEN 1 AND 4294967295),
    -- What the hiring client called its request; NULL for people taken over from another system.
    hire_key         TEXT UNIQUE,
    name             TEXT    NOT NULL,
    age              INTEGER NOT NULL,
    gender           TEXT    NOT NULL,
    marital_status   TEXT    NOT NULL,
    education_field  TEXT    NOT NULL,
    department       TEXT    NOT NULL,
    job_role         TEXT    NOT NULL,
    job_level        INTEGER NOT NULL,
    monthly_income   INTEGER NOT NULL,
    overtime         INTEGER NOT NULL CHECK (overtime IN (0, 1)),
    years_at_company INTEGER NOT NULL,
    employment       TEXT    NOT NULL CHECK (employment IN ('active', 'terminated')),
    -- 1 when hired, one more with each change.
    revision         INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE INDEX employee_by_department ON employee (department, number);

-- Hires that were undone: a late repetition of one finds itself here, and is refused.
CREATE TABLE withdrawn_hire (
    hire_key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
