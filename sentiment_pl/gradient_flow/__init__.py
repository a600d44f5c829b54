"""How much of the loss's derivative arrives inside a network: measured, drawn, reported."""
