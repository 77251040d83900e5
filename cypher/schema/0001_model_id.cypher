// Purpose: one Model per id, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT model_id IF NOT EXISTS FOR (n:Model) REQUIRE n.id IS UNIQUE
