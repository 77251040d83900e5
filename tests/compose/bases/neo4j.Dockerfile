# In place of the official Neo4j image: the jars of `make neo4j-home` on Debian's Java.
FROM neuromfa-test/debian
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless tini gosu wget >/dev/null \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7474 --user-group --home-dir /var/lib/neo4j neo4j
COPY lib /var/lib/neo4j/lib
RUN chmod 755 /var/lib/neo4j && mkdir -p /data /logs /var/lib/neo4j/conf /var/lib/neo4j/run /var/lib/neo4j/import /var/lib/neo4j/plugins \
    && chown -R neo4j:neo4j /data /logs /var/lib/neo4j
COPY neo4j-entrypoint.sh /startup/docker-entrypoint.sh
VOLUME /data /logs
ENTRYPOINT ["tini", "-g", "--", "/startup/docker-entrypoint.sh"]
