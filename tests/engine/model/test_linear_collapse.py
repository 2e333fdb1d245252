"""D3: with slope 1 a deep network is a single matrix, and it gives the same outputs to twelve digits."""

import numpy as np
import pytest

from engine.experiment.datasets import load_data
from engine.formula.expression import Symbol
from engine.model.linear_collapse import NotLinearError, collapsed
from engine.model.network import Network
from tests.engine.short_runs import experiment, layer


def outputs(network: Network, X: np.ndarray, Y: np.ndarray) -> dict[str, np.ndarray]:
    graph = network.graph(X, Y)
    graph.forward()
    return {symbol.plain(): node.value for symbol, node in graph.nodes.items()}


@pytest.mark.parametrize("activation", ['activation = "linear"', 'activation = "leaky_relu"\nslope = 1.0'])
@pytest.mark.parametrize("bias", ["false", "true"])
@pytest.mark.parametrize("residual", ["false", "true"])
def test_the_product_of_the_matrices_gives_the_networks_outputs(activation: str, bias: str, residual: str):
    made = experiment(
        [
            f"units = 7\n{activation}",
            f"units = 7\n{activation}\nresidual = {residual}\nrepeat = 20",
            layer(1, "sigmoid"),
        ],
        network=f"bias = {bias}",
    )
    data = load_data(made)
    network = Network.initialised(made, 3)
    rng = np.random.default_rng(0)
    for number in range(1, 23):
        if bias == "true":
            network.parameters[Symbol("b", number)][...] = rng.standard_normal((7 if number < 22 else 1, 1))
    single = collapsed(network)
    assert single.W.shape == (3, 1)
    found, expected = single.pre_activation(data.X), outputs(network, data.X, data.Y)
    scale = np.abs(expected["f[22]"]).max()
    np.testing.assert_allclose(found, expected["f[22]"], rtol=1e-12, atol=1e-12 * scale)
    with np.errstate(over="ignore"):
        prediction = 1 / (1 + np.exp(-found))
    np.testing.assert_allclose(prediction, expected["Y_hat"], rtol=1e-9, atol=1e-12)


def test_it_is_the_product_in_the_order_of_the_layers():
    made = experiment(
        [layer(4, "linear"), layer(5, "leaky_relu", "slope = 1.0"), layer(2, "linear")],
        data='kind = "random"\nn = 4\nfeatures = 3\noutputs = 2',
        loss='kind = "squared_error"',
    )
    network = Network.initialised(made, 3)
    W1, W2, W3 = network.parameters.values()
    np.testing.assert_allclose(collapsed(network).W, W1 @ W2 @ W3, rtol=1e-13)
    assert (collapsed(network).b == 0).all()


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([layer(3, "linear"), layer(3, "relu")], "layer 2 is relu"),
        ([layer(3, "leaky_relu")], "layer 1 is leaky_relu with slope 0.01"),
        ([layer(3, "leaky_relu", "slope = 0.9")], "layer 1 is leaky_relu with slope 0.9"),
        ([layer(3, "linear", 'norm = "layer"')], "layer 1 has a layer norm"),
    ],
)
def test_a_network_that_is_not_linear_is_refused_by_its_layer(layers: list[str], message: str):
    network = Network.initialised(experiment([*layers, layer(1, "sigmoid")]), 3)
    with pytest.raises(NotLinearError, match=message):
        collapsed(network)
