"""What is measured in a step? Gradients, activations, dead units, classification."""
