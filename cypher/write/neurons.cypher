// Purpose: make the neurons of one kind in one layer, columns as parameters.
// Parameters: $sample, $layer, $block, $kind, $keys, $names, $positions, $indexes, $nfd, $nfd_own
UNWIND range(0, size($keys) - 1) AS i
CREATE (n:Neuron/*:Kind*/ {
  key: $keys[i], name: $names[i], sample: $sample, layer: $layer, position: $positions[i], block: $block,
  kind: $kind, index: $indexes[i], nfd: $nfd[i], nfd_own: $nfd_own[i]
})
