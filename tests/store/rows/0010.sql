INSERT INTO group_runs (id, schedule, planned_at, version, stopped_by, ended_at, plan)
VALUES ('0000001', '000001', 1700000000000, 3, NULL, 1700000600000, '{"id":"0000001","schedule":"000001","slot":"2023-11-14T22:13:20Z","planned":"2023-11-14T22:13:20Z","until":"2023-11-15T02:13:20Z","group":{"tag":"prod","at_once":1,"gap":30,"check":{"Http":{"port":80,"path":"/health"}}},"power":"Off","if_hung":"Live","owner":1,"guild":2,"channel":3}');
INSERT INTO group_members (run, droplet_id, position, name, phase, why, is_good, since, operation)
VALUES ('0000001', 10, 0, 'web-1', 'done', '', 1, 1700000300000, '00000001'),
       ('0000001', 11, 1, 'web-2', 'lost', 'check', 0, NULL, NULL),
       ('0000001', 12, 2, 'pool-1', 'excluded', 'kubernetes', 0, NULL, NULL);
INSERT INTO group_messages (run, number, generation, shown_version, attempts, due_at)
VALUES ('0000001', 0, 1, 0, 0, 1700000000000);
