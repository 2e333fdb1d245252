"""How are values and gradients computed? A graph of nodes, and the ops that fill them forwards and backwards."""
