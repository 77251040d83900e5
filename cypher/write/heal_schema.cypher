// Purpose: keep one mark of the schema and have every migration run again, where more marks than so many are there.
// Parameters: $more_than
// The locks come first and then a second look, so that of two who heal the later one finds nothing to do.
MATCH (v:SchemaVersion {id: 'neuromfa'})
SET v.locked = true
WITH count(v) AS locked
MATCH (v:SchemaVersion {id: 'neuromfa'})
WITH v
ORDER BY v.version
WITH collect(v) AS marks
WITH marks, size(marks) AS found
WHERE found > $more_than
FOREACH (mark IN marks | SET mark.version = 0)
FOREACH (mark IN marks[1..] | DELETE mark)
RETURN found
