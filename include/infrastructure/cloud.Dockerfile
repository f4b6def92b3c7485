# The local cloud and, where a checkout has its own, the environment that batch jobs run in, as an unprivileged user.
FROM python:3.11.16-slim-bookworm
COPY --chmod=755 requirements/bootstrap.txt requirements/cloud.txt requirements/torch.txt requirements/install-torch \
    requirements/batch.txt /tmp/requirements/
RUN export PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 \
    && pip install --no-deps --require-hashes --requirement /tmp/requirements/bootstrap.txt \
    && pip install --no-deps --require-hashes --requirement /tmp/requirements/cloud.txt \
    && /tmp/requirements/install-torch python uv \
    && python -m venv /opt/scones/.venv \
    && /opt/scones/.venv/bin/pip install --no-deps --require-hashes --requirement /tmp/requirements/batch.txt \
    && useradd --uid 10001 --create-home cloud \
    && install --directory --owner=cloud /data
ENV PYTHONUNBUFFERED=1
WORKDIR /opt/scones
COPY --chmod=755 include/__init__.py include/
COPY --chmod=755 include/local_cloud include/local_cloud
COPY --chmod=755 include/image_classification include/image_classification
COPY --chmod=755 include/scones include/scones
USER cloud
