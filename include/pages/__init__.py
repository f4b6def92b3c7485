"""The web applications behind the project's pages in Airflow; only its API server imports them."""
