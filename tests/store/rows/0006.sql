-- The call of the earlier version lists a second operation by now.
INSERT INTO calls (channel_id, cause, leader, began_at) VALUES (3, 'outage', '00000006', 1700000010000);
UPDATE reports SET cause = 'outage', changes = 2, shown_version = 2 WHERE operation = '00000006' AND kind = 'stuck';
INSERT INTO reports (operation, kind, channel_id, generation, attempts, due_at, given_up, leader, cause)
VALUES ('00000007', 'stuck', 3, 1, 0, 1700000012000, 'listed', '00000006', 'outage');
