-- A Droplet that is on and watched for a late shutdown.
UPDATE power_owed SET late_until = 1700000900000, is_watched = 1 WHERE operation = '00000007';
