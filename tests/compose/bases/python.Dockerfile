# In place of the official Python image: Debian's own Python.
FROM neuromfa-test/debian
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends python3 python3-venv ca-certificates >/dev/null \
    && ln -s python3 /usr/bin/python \
    && rm -rf /var/lib/apt/lists/*
CMD ["python"]
