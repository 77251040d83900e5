// Purpose: how many weighted edges in range leave one layer at each radius max(1, round(d)), half to even.
// Parameters: $sample, $layer, $shortest, $longest
MATCH (a:Neuron {layer: $layer, sample: $sample})-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance > $shortest AND r.distance <= $longest
WITH CASE WHEN r.distance < 1.5 THEN 1 ELSE toInteger(round(r.distance, 0, 'HALF_EVEN')) END AS radius
RETURN radius, count(*) AS edges
ORDER BY radius
