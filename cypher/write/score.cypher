// Purpose: record what a checkpoint scored on a benchmark.
// Parameters: $checkpoint, $task, $metric, $value, $stderr
MATCH (c:Checkpoint {id: $checkpoint})
MERGE (b:Benchmark {task: $task})
MERGE (c)-[s:SCORED {metric: $metric}]->(b)
SET s.value = $value, s.stderr = $stderr
RETURN b.task AS task
