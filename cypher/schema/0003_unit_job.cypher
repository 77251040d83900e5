// Purpose: the units of one job by one index seek.
// Parameters: none
CREATE INDEX unit_job IF NOT EXISTS FOR (n:Unit) ON (n.job)
