// Purpose: how many relationships units have written, and in how many seconds.
// Parameters: none
MATCH (u:Unit)
WHERE u.status = 'done' AND u.edges > 0
RETURN sum(u.edges) AS edges, sum(u.write_s) AS seconds
