"""Files of any size: reviews in, label and probability beside them out."""
