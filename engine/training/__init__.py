"""How does a network learn? The trainer, the optimisers, the batches."""
