"""Gradient flow: how the derivative of the loss decays inside a network; measured and reported."""
