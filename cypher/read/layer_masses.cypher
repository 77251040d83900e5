// Purpose: masses N(r) = 1 + edges in range with max(1, round(d)) <= r of one layer's neurons, at r = 1 ... largest.
// Parameters: $sample, $layer, $shortest, $longest, $largest
MATCH (a:Neuron {layer: $layer, sample: $sample})
OPTIONAL MATCH (a)-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance > $shortest AND r.distance <= $longest
WITH a, collect(CASE WHEN r.distance < 1.5 THEN 1 ELSE toInteger(round(r.distance, 0, 'HALF_EVEN')) END) AS radii
RETURN a.name AS name, a.position AS position,
  [place IN range(1, $largest) | 1 + size([radius IN radii WHERE radius <= place])] AS masses
ORDER BY position
