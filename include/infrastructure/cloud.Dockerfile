# The local cloud's environment and, where a checkout has its own, the one that batch jobs run in, as an unprivileged user;
# the code is mounted, see docker-compose.yaml.
FROM python:3.11.16-slim-bookworm
COPY bootstrap.txt cloud.txt torch.txt install-torch batch.txt /tmp/requirements/
RUN export PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 \
    && pip install --no-deps --require-hashes --requirement /tmp/requirements/bootstrap.txt \
    && pip install --no-deps --require-hashes --requirement /tmp/requirements/cloud.txt \
    && /tmp/requirements/install-torch python uv \
    && python -m venv /opt/scones/.venv \
    && /opt/scones/.venv/bin/pip install --no-deps --require-hashes --requirement /tmp/requirements/batch.txt \
    && useradd --uid 10001 --create-home cloud \
    && install --directory --owner=cloud /data
ENV PYTHONUNBUFFERED=1
USER cloud
WORKDIR /opt/scones
