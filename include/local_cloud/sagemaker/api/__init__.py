"""What all operations of SageMaker's API share: their registry, resources by name, tags and lists."""
