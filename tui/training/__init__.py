"""Watching a training: the gradients of all layers, the units that die."""
