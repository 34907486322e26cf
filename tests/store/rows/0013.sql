INSERT INTO restore_sources (droplet_id, snapshot_id, restored_at) VALUES (20, 30, 1700000000000);
