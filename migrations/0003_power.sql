-- What a duty to turn a Droplet on needs to be carried on by itself, should the operation's state be unreadable: until when what was sent
-- may still turn the Droplet off, and whether it was seen on and is only watched for that.
ALTER TABLE power_owed ADD COLUMN late_until BIGINT;
ALTER TABLE power_owed ADD COLUMN is_watched BIGINT NOT NULL DEFAULT 0;
