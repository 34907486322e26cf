INSERT INTO snapshot_pins (snapshot_id, snapshot_name, by_user, guild_id, at, reason)
VALUES (50, 'good', 1, 2, 1700000000000, 'before the upgrade'), (51, 'better', 1, 2, 1700000000000, NULL);
INSERT INTO snapshot_days (day, snapshot_id, droplet_id, size_mb) VALUES (19675, 50, 10, 12400), (19675, 51, NULL, 0);
INSERT INTO monthly_reports (month, message_id) VALUES (646, 77), (647, NULL);
