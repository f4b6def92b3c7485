# The local cloud's environment and, where a checkout has its own, the one that batch jobs run in, as an unprivileged user;
# the code is mounted, see docker-compose.yaml.
FROM python:3.11.13-slim-bookworm
COPY cloud.txt batch.txt /tmp/requirements/
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements/cloud.txt \
    && pip install --no-cache-dir torch==2.13.0 \
    && python -m venv /opt/scones/.venv \
    && /opt/scones/.venv/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements/batch.txt \
    && useradd --uid 10001 --create-home cloud \
    && install --directory --owner=cloud /data
ENV PYTHONUNBUFFERED=1
USER cloud
WORKDIR /opt/scones
