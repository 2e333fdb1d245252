"""Evaluates the plain form of a formula with Python itself: the reader's way of checking what is displayed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.autodiff.graph import Graph


def names_of(graph: Graph) -> dict[str, Any]:
    """What a reader would bind the plain names to: f = {1: array, …}, Y_hat = array, alpha = 1.0, n = 3.0, …"""
    names: dict[str, Any] = {
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "exp": np.exp,
        "log": np.log,
        "sqrt": np.sqrt,
        "sin": np.sin,
        "cos": np.cos,
        "erf": math.erf,
        "abs": abs,
        "relu": lambda x: max(x, 0.0),
        "maximum": max,
        "minimum": min,
        "indicator": float,
        "inf": np.float64(math.inf),
        "nan": np.float64(math.nan),
        **graph.constants,
    }
    for symbol, node in graph.nodes.items():
        value: Any = node.value.astype(np.float64)
        if node.scalar:
            value = value[0, 0]
        if symbol.layer is None:
            names[symbol.name] = value
        else:
            names.setdefault(symbol.name, {})[symbol.layer] = value
    return names


def python_value(text: str, names: dict[str, Any]) -> float:
    """The number that Python's own eval gives for a text, with nothing but `names` in scope."""
    with np.errstate(all="ignore"):
        return float(eval(text, {"__builtins__": {}}, names))
