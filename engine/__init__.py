"""The engine: graphs that compute, differentiate and explain themselves. NumPy only; knows nothing of terminals.

experiment (TOML) -> Network -> Graph -> forward / backward -> Derivation
"""
