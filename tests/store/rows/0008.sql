INSERT INTO schedules (id, version, guild_id, droplet_id, is_removed, due_at, state)
VALUES ('000001', 4, 2, 10, 0, 1700000000000, '{"id":"000001","droplet":10,"droplet_name":"web-1","rule":{"every":{"Week":"Sunday"},"at":"03:00:00","zone":"Europe/Berlin","spread":0},"power":"Off","if_hung":"Live","keep":{"last":0,"daily":7,"weekly":4,"monthly":6,"yearly":0},"owner":{"user":1,"good_at":"2026-11-26T00:00:00Z","lost_since":null},"guild":2,"channel":3,"created_at":"2026-11-26T00:00:00Z","floor":"2026-11-26T00:00:00Z","state":{"Paused":{"until":null,"why":{"By":1}}},"reminded_at":null,"approved":[]}');
INSERT INTO slots (schedule, planned_at, droplet_id, last_at, count, fate, why, operation)
VALUES ('000001', 1700000000000, 10, 1700000000000, 1, 'ran', '', '00000001');
INSERT INTO schedule_snapshots (schedule, operation, droplet_id, planned_at, state, name, snapshot_id, is_consistent)
VALUES ('000001', '00000001', 10, 1700000000000, 'listed', 'web-1-20231114-2213-00000001', 500, 1);
INSERT INTO schedule_messages (schedule, number, channel_id, what, generation, shown_version, attempts, due_at)
VALUES ('000001', 0, 3, '', 1, 0, 0, 1700000000000),
       ('000001', 1, 3, '{"Failed":{"planned":"2026-11-26T03:00:00Z","operation":"00000001"}}', 1, 0, 0, 1700000000000);
