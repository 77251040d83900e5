# The service and the worker: one image, two commands. The graph database is a container of its own.
FROM python:3.12-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /srv/neuromfa
COPY requirements/base.txt requirements/service.txt requirements/
RUN python -m pip install -r requirements/service.txt

COPY pyproject.toml README.md LICENSE NOTICE ./
COPY neuromfa neuromfa
COPY ingest ingest
COPY app app
COPY cypher cypher
COPY series series
RUN python -m pip install --no-deps . \
    && useradd --system --uid 10001 --create-home neuromfa \
    && install -d -o neuromfa /data

USER 10001
ENV NEUROMFA_DATA_DIR=/data \
    NEUROMFA_HOST=0.0.0.0 \
    HF_HOME=/data/huggingface
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["neuromfa", "serve"]
