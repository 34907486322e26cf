-- A schedule whose question about hung shutdowns is open, one message that leads, and one that it tells of too.
INSERT INTO schedules (id, version, guild_id, droplet_id, is_removed, due_at, state)
VALUES ('00000b', 3, 2, 20, 0, NULL,
    '{"id":"00000b","droplet":20,"droplet_name":"web-20","rule":{"every":"Day","at":"03:00:00","zone":"UTC","spread":0},"power":"Off","if_hung":"Live","keep":{"last":3,"daily":0,"weekly":0,"monthly":0,"yearly":0},"owner":{"user":1,"good_at":"2023-11-14T22:13:20Z","lost_since":null},"guild":2,"channel":3,"created_at":"2023-11-14T22:13:20Z","floor":"2023-11-14T22:13:20Z","state":"Active","reminded_at":null,"approved":[],"watched":{"hangs":{"in_a_row":3,"asked":"Open"},"owner_told_at":null,"pause_told_at":null,"doubted":null,"prunes_after_restores_until":null}}');
INSERT INTO schedule_messages (schedule, number, channel_id, what, generation, shown_version, attempts, due_at, said_at, changes)
VALUES ('00000b', 1, 3, '{"Failed":{"planned":"2023-11-15T03:00:00Z","operation":"00000001","why":"hung","count":3}}', 1, 1, 0, 1700000000000, 1700000000000, 2);
INSERT INTO schedule_messages (schedule, number, channel_id, what, generation, shown_version, attempts, due_at, leader_schedule, leader_number, said_at, changes)
VALUES ('00000b', 2, 3, '{"Stale":{"since":"2023-11-15T03:00:00Z","newest":null}}', 1, 0, 0, 1700000000000, '00000b', 1, 1700000000000, 1);
INSERT INTO schedule_pings (schedule, operation, signal, since, due_at, attempts)
VALUES ('00000b', '00000001', 'start', 1700000000000, 1700000000000, 2);
