// Purpose: one Sample per id, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT sample_id IF NOT EXISTS FOR (n:Sample) REQUIRE n.id IS UNIQUE
