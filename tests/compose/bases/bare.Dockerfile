# A machine with Python, make and git, a user without rights, and nothing else.
FROM neuromfa-test/build
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends make git >/dev/null \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 somebody
USER somebody
WORKDIR /home/somebody
