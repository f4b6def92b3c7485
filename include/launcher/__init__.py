"""`make run`, `make up` and `make down`: starts the local cloud and Airflow, runs the workflow, shows the result."""
