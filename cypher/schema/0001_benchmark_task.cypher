// Purpose: one Benchmark per task, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT benchmark_task IF NOT EXISTS FOR (n:Benchmark) REQUIRE n.task IS UNIQUE
