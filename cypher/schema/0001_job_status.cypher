// Purpose: the jobs that wait or run, without looking at those that are over.
// Parameters: none
CREATE INDEX job_status IF NOT EXISTS FOR (n:Job) ON (n.status)
