"""Using the model through the inference workflow: the inputs of its executions, and what became of them."""
