// Purpose: one Spectrum per id, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT spectrum_id IF NOT EXISTS FOR (n:Spectrum) REQUIRE n.id IS UNIQUE
