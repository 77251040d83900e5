// Purpose: the next number of a counter; the lock taken first makes two writers wait for each other.
// Parameters: $counter
MERGE (c:Counter {id: $counter})
ON CREATE SET c.value = 0
SET c.locked = true
WITH c
SET c.value = c.value + 1
RETURN c.value AS number
