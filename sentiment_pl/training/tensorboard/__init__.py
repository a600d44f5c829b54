"""Contents of TensorBoard, W&B and MLflow: names, curves, columns, texts and pictures of a run."""
