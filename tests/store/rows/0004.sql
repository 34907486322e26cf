INSERT INTO snapshot_origins (id, snapshot_name, kind, droplet_id, droplet_name, asker_id, guild_id, channel_id, asked_at,
    ended_at, outcome)
VALUES ('00000009', 'web-10-20251122-1740-00000009', 'take', 10, 'web-10', 1, 2, 3, 1760000000000, 1760000600000,
    'completed');
