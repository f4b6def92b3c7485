# Airflow's own image with the project's locked environment and code, which lie where Airflow and Astro look for them.
FROM apache/airflow:slim-3.3.2-python3.11
COPY --chmod=644 requirements/compose.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.txt
WORKDIR /opt/airflow
# Files that everybody may read and nobody may change, whatever the mask of the checkout.
COPY --chmod=755 dags dags
COPY --chmod=755 plugins plugins
COPY --chmod=755 lambdas lambdas
COPY --chmod=644 step_function.json .
COPY --chmod=755 include/__init__.py include/
COPY --chmod=755 include/infrastructure include/infrastructure
COPY --chmod=755 include/scones include/scones
COPY --chmod=755 include/operators include/operators
COPY --chmod=755 include/pages include/pages
