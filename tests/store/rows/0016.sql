INSERT INTO kept_backups (snapshot_id, by_user) VALUES (60, 1);
