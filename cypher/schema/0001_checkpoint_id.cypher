// Purpose: one Checkpoint per id, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT checkpoint_id IF NOT EXISTS FOR (n:Checkpoint) REQUIRE n.id IS UNIQUE
