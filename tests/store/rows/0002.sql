-- The lease's row as a bot leaves it, with the account that it has proven.
UPDATE lease SET holder = '', expires_at = 0, beat_at = 1700000020000, token_salt = '00', token_digest = 'ff', team = 'team';
