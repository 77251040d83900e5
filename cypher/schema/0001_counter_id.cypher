// Purpose: one Counter per id, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT counter_id IF NOT EXISTS FOR (n:Counter) REQUIRE n.id IS UNIQUE
