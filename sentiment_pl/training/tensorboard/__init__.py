"""What TensorBoard, W&B and MLflow show of a run: names, curves, columns, texts and pictures."""
