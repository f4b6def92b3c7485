"""SageMaker as far as training, models, endpoints, inference and data capture go; `operations` tells what there is."""
