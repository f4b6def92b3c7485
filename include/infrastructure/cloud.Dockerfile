# The local cloud's environment, as an unprivileged user; the code is mounted, see docker-compose.yaml.
FROM python:3.11.13-slim-bookworm
COPY cloud.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.txt \
    && pip install --no-cache-dir torch==2.13.0 \
    && useradd --uid 10001 --create-home cloud \
    && install --directory --owner=cloud /data
ENV PYTHONUNBUFFERED=1
USER cloud
WORKDIR /opt/scones
