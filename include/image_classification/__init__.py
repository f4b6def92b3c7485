"""Image classification by SageMaker's contracts for training and serving: PyTorch trains, ONNX Runtime serves."""
