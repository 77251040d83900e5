// Purpose: number and mean distance of the weighted edges in range that leave one layer, and the distances at some shares.
// Parameters: $sample, $layer, $longest, $quantiles
MATCH (a:Neuron {layer: $layer, sample: $sample})-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance <= $longest
WITH r.distance AS distance
ORDER BY distance
WITH collect(distance) AS distances, count(*) AS edges, avg(distance) AS mean
RETURN edges, mean,
  [share IN $quantiles WHERE edges > 0 | distances[toInteger(ceil(share * edges)) - 1]] AS quantiles
