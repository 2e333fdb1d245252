"""How does a specification become a graph? Parameters, initialisers, networks."""
