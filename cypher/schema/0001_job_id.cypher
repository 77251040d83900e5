// Purpose: one Job per id, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT job_id IF NOT EXISTS FOR (n:Job) REQUIRE n.id IS UNIQUE
