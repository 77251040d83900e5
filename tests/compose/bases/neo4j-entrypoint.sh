#!/bin/bash
# What the official image does where the compose file relies on it: the password from a file that must be readable for
# everybody or belong to the user, settings from NEO4J_ variables, the first password once; as root it becomes neo4j.
set -euo pipefail
home=/var/lib/neo4j
if [ "$(id -u)" = 0 ]; then
  chown -R neo4j:neo4j /data /logs
  exec gosu neo4j:neo4j "$0"
fi
if [ -n "${NEO4J_AUTH_FILE:-}" ]; then
  mode=$(stat -c %a "$NEO4J_AUTH_FILE")
  owner=$(stat -c %u "$NEO4J_AUTH_FILE")
  group=$(stat -c %g "$NEO4J_AUTH_FILE")
  if ! { [ "${mode: -1}" -ge 4 ] || { [ "$owner" = "$(id -u)" ] && [ "${mode: -3:1}" -ge 4 ]; } ||
    { [ "$group" = "$(id -g)" ] && [ "${mode: -2:1}" -ge 4 ]; }; }; then
    echo "The file $NEO4J_AUTH_FILE is not readable for the user of Neo4j" >&2
    exit 1
  fi
  NEO4J_AUTH=$(cat "$NEO4J_AUTH_FILE")
fi
{
  echo server.default_listen_address=0.0.0.0
  echo server.directories.data=/data
  echo server.directories.logs=/logs
  for name in $(compgen -e | grep '^NEO4J_' | grep -v '^NEO4J_AUTH'); do
    key=$(sed 's/^NEO4J_//; s/__/\x01/g; s/_/./g; s/\x01/_/g' <<<"$name")
    echo "$key=${!name}"
  done
} >$home/conf/neo4j.conf
export NEO4J_HOME=$home NEO4J_CONF=$home/conf
if [ ! -e /data/.password-set ]; then
  java -Xmx128m -cp "$home/lib/*" "-Dbasedir=$home" org.neo4j.server.startup.Neo4jAdminCommand \
    dbms set-initial-password "${NEO4J_AUTH#neo4j/}" >/dev/null
  touch /data/.password-set
fi
exec java "-Xmx${NEO4J_server_memory_heap_max__size:-512m}" -XX:+UseSerialGC -cp "$home/lib/*:$home/conf/*" \
  org.neo4j.server.CommunityEntryPoint "--home-dir=$home" "--config-dir=$home/conf" --console-mode
