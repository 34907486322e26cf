UPDATE operations SET deletes = 51 WHERE kind = 'delete' AND outcome = 'completed';
