"""CSV, TSV, JSON and Parquet, in and out, row by row: for training and for prediction."""
