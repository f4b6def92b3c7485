"""SageMaker as far as training, models, endpoints, inference and data capture go; see `operations` for what there is."""
