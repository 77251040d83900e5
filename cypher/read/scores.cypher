// Purpose: what the checkpoints of a model scored on benchmarks.
// Parameters: $model
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[s:SCORED]->(b:Benchmark)
RETURN c.step AS step, b.task AS task, s.metric AS metric, s.value AS value, s.stderr AS stderr, c.rank AS rank
ORDER BY rank, task, metric
