-- One lease per database: all operations in it belong to one DigitalOcean account, which is described here too. This table
-- replaces the lease per token. A newer version takes the lease before it migrates, so later migrations may add columns here but
-- must leave these as they are.
CREATE TABLE lease (
    -- Always 1.
    number BIGINT NOT NULL PRIMARY KEY,
    -- Which run of which process has the lease; empty once it was given back. Used on PostgreSQL; a lock on the file does it on SQLite.
    holder TEXT NOT NULL,
    -- When the lease ends, by the database's clock. Once it was given back: since when it is free.
    expires_at BIGINT NOT NULL,
    -- The last minute in which a live process looked after the operations.
    beat_at BIGINT,
    -- The last token that was accepted, as a SHA-256 over a random salt and the token. NULL before the first.
    token_salt TEXT,
    token_digest TEXT,
    -- DigitalOcean's id of the team, where the token may read it.
    team TEXT
);
-- Whoever held a lease of the earlier version may still have a request under way.
INSERT INTO lease (number, holder, expires_at) SELECT 1, 'an earlier version', COALESCE(MAX(expires_at), 0) FROM leases;
DROP TABLE leases;
