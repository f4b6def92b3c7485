"""From a training job to an endpoint: the requests, the gate, the smoke test, and predictions."""
