"""An AWS on the loopback address: MiniStack in process, with this project's SageMaker beside it."""
