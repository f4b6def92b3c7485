"""The operations of SageMaker's API, one module a kind of resource; all of them are found by themselves."""
