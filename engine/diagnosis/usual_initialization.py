"""Which initialisation usually suits a network: He's for ReLU and its relatives, Xavier's for the others."""

from __future__ import annotations

from engine.diagnosis.diagnosed_run import OwnRun


def usual_scheme(own: OwnRun) -> str:
    """The usual initialisation for an activation: He's for ReLU and its relatives, Xavier's for the others.

    He et al. 2015; Glorot & Bengio 2010.
    """
    relatives = {"relu", "leaky_relu", "elu", "gelu", "silu"}
    hidden = {layer.activation for layer in own.experiment.network.layers[:-1]}
    return "he" if hidden & relatives else "xavier"
