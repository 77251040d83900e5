// Purpose: one SchemaVersion per id, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT schema_version_id IF NOT EXISTS FOR (n:SchemaVersion) REQUIRE n.id IS UNIQUE
