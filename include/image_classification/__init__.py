"""An image classification container for SageMaker's training and serving contracts: PyTorch trains, ONNX Runtime serves."""
