# Airflow's own image with the project's locked runtime environment; the code is mounted, see docker-compose.yaml.
FROM apache/airflow:slim-3.3.2-python3.11
COPY compose.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.txt
# A volume takes over the owner of the folder that it covers.
RUN mkdir /opt/airflow/auth
ENV PYTHONPATH=/opt/scones
WORKDIR /opt/scones
