// Purpose: one Unit per id, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT unit_id IF NOT EXISTS FOR (n:Unit) REQUIRE n.id IS UNIQUE
