// Purpose: become the one who migrates, for the time of a lease; the lock comes first, so that of two one wins.
// Parameters: $writer, $version, $lease_ms
MATCH (v:SchemaVersion {id: 'neuromfa'})
SET v.locked = true
WITH v, v.version < $version AND (coalesce(v.lease, 0) < timestamp() OR v.writer = $writer) AS ours
SET v.writer = CASE WHEN ours THEN $writer ELSE v.writer END,
  v.lease = CASE WHEN ours THEN timestamp() + $lease_ms ELSE coalesce(v.lease, 0) END
RETURN v.version AS version, ours
