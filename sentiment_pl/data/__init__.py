"""From raw reviews to padded batches."""
