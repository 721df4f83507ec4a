-- Whether a hire is final: who hired has all that goes with it, and a late attempt to undo it comes too late.
ALTER TABLE employee ADD COLUMN settled INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1));
