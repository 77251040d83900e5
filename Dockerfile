# The service and the worker: one image, two commands. The graph database is a container of its own.
ARG BASE_IMAGE=python:3.12.12-slim-bookworm
ARG BUILD_IMAGE=${BASE_IMAGE}

FROM ${BUILD_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/neuromfa
COPY requirements/base.txt requirements/service.txt requirements/
RUN /opt/neuromfa/bin/python -m pip install -r requirements/service.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY neuromfa neuromfa
COPY ingest ingest
COPY app app
COPY cypher cypher
# what ships installs nothing and tests nobody else's libraries
RUN /opt/neuromfa/bin/python -m pip install --no-deps . \
    && /opt/neuromfa/bin/python -m pip uninstall --yes pip setuptools \
    && find /opt/neuromfa/lib -type d -name tests -prune -exec rm -rf {} +

FROM ${BASE_IMAGE}
COPY --from=build /opt/neuromfa /opt/neuromfa
COPY docker/stack_secrets.py /opt/neuromfa/
RUN groupadd --gid 10001 neuromfa \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data neuromfa \
    && install -d -o neuromfa -g neuromfa /data
ENV PATH=/opt/neuromfa/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    HF_HOME=/data/huggingface \
    NEUROMFA_DATA_DIR=/data \
    NEUROMFA_HOST=0.0.0.0
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=5m \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=8)"]
CMD ["neuromfa", "serve"]
