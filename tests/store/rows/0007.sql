-- The call could not be posted where it belongs.
UPDATE reports SET moved_to = 4 WHERE operation = '00000006' AND kind = 'stuck';
