"""Predictions explained word by word: on a terminal, as a page, as a picture; tables and ONNX."""
