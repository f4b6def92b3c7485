"""What the DAGs, the plugin and notebooks call; knows neither Airflow nor the local cloud."""
