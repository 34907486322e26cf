-- What a running operation looks like after migration 1: it is read by every later version.
INSERT INTO operations (id, version, kind, droplet_id, droplet_name, asker_id, guild_id, channel_id, asked_at, due_at,
    is_running, is_open, events, shown_version, state)
VALUES ('00000001', 5, 'take', 10, 'web-1', 1, 2, 3, 1700000000000, 1700000030000, 1, 1, 2, 4,
    '{"id":"00000001","kind":{"Take":{"power":"PowerOff","if_hung":"Ask"}},"asker":{"user":1,"guild":2,"channel":3},"asked_at":"2023-11-14T22:13:20Z","target":{"droplet":10,"name":"web-1","region":"nyc3","disk_gb":25},"snapshot_name":"web-1-20231114-2213-00000001","usual":{"millis":[["Snapshot",60000]]},"steps":[{"task":"ShutDown","state":{"Done":{"at":"2023-11-14T22:13:32Z"}},"began":"2023-11-14T22:13:22Z","answer_lost":false},{"task":"Snapshot","state":{"Running":{"action":7,"started_at":"2023-11-14T22:13:33Z","presumed":false,"completed":null,"broken":null,"looks":3}},"began":"2023-11-14T22:13:33Z","answer_lost":false}],"power":{"before":"On","owed":{"since":"2023-11-14T22:13:22Z","late_until":"2023-11-14T22:28:22Z"},"back":{"task":"PowerOn","state":{"Waiting":{"droplet":false,"actions":false}},"began":null,"answer_lost":false},"seen_off":false,"parked":false,"stuck":null,"failures":0,"released":null,"went_off":"2023-11-14T22:13:22Z","came_back":null,"after":null,"repaired":null},"baseline":[5],"obstacle":null,"question":null,"cancelled":null,"verdict":null,"snapshot":null,"launched":null,"ended":null,"not_before":null}');
INSERT INTO interactions (id, operation) VALUES (100, '00000001'), (-1, '00000001');
INSERT INTO events (operation, number, at, by_user, what, unheard) VALUES
    ('00000001', 1, 1700000000000, 1, '"Asked"', 0),
    ('00000001', 2, 1700000020000, 1, '{"Wished":"Cancel"}', 1);
INSERT INTO power_owed (operation, droplet_id, since) VALUES ('00000001', 10, 1700000002000);
INSERT INTO durations (operation, task, droplet_id, millis, ended_at) VALUES ('00000001', 'shut_down', 10, 10000, 1700000012000);
INSERT INTO reports (operation, kind, channel_id, generation, message_id, shown_version, shown_digest, shown_at, attempts,
    posting_since, due_at)
VALUES ('00000001', 'progress', 3, 1, 77, 4, 'digest', 1700000010000, 0, 1700000001000, 1700000012000);
INSERT INTO confirmations (id, asker_id, guild_id, what, expires_at, used_by)
VALUES ('00000000000000ff', 1, 2, 'what', 1700000120000, NULL), ('00000000000000fe', 1, 2, 'what', 1700000120000, 100);
INSERT INTO registered_commands (guild_id, digest) VALUES (2, 'digest');
INSERT INTO leases (account, holder, expires_at) VALUES ('account', '', 0);
