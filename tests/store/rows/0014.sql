-- A schedule that somebody paused.
INSERT INTO acts (at, by_user, guild_id, what, kind, subject, name)
VALUES (1700000000000, 1, 2, 'paused', 'schedule', '0000001', 'web-1');
