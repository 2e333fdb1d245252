"""What an experiment says of its layers, checked: widths, activations, norms, given weights, initialisation."""

from __future__ import annotations

from collections.abc import Iterator

from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.data_shape import DataShape
from engine.experiment.errors import choice, count, mismatch, quoted, suggestion, value_in_words
from engine.experiment.spec import Experiment, Init, LayerSpec, Orientation
from engine.experiment.validation_rules import Problem, at_least


def layer_problems(experiment: Experiment, shape: DataShape) -> Iterator[Problem]:
    """Problems of each layer on its own and against the width below it.

    What depends on the number of features is left for later where only a file can tell it.
    """
    layers = experiment.network.layers
    if not layers:
        yield "network.layers", mismatch("an empty list", "one layer or more")
    fan_in = shape.features
    below = "row of X, the row of ones included" if experiment.data.ones_row else "row of X"
    for index, layer in enumerate(layers):
        key = f"network.layers[{index}]"
        yield from at_least(f"{key}.units", layer.units, 1)
        yield from at_least(f"{key}.repeat", layer.repeat, 1)
        if layer.activation not in ACTIVATION_TRAITS:
            problem = mismatch(quoted(layer.activation), choice(ACTIVATION_TRAITS))
            yield f"{key}.activation", problem + suggestion(layer.activation, ACTIVATION_TRAITS)
        if layer.slope is not None and ACTIVATION_TRAITS[layer.activation].default_slope is None:
            found = f"a slope for the activation {quoted(layer.activation)}"
            with_slope = [one.name for one in ACTIVATION_TRAITS.values() if one.default_slope is not None]
            yield f"{key}.slope", mismatch(found, f"a slope only with {choice(with_slope)}")
        if layer.residual and fan_in is not None and fan_in != layer.units:
            expected = f"{fan_in}, because residual = true adds the layer's input, which is {fan_in} wide"
            yield f"{key}.units", mismatch(count(layer.units, "unit"), expected)
        yield from _norm_problems(key, layer)
        yield from _given_parameter_problems(key, layer, fan_in, below, experiment.network.weights)
        if "b" in layer.frozen and not experiment.network.has_bias(layer):
            expected = "parameters that the layer has (network.bias is false and no b is given)"
            yield f"{key}.frozen", mismatch(quoted("b"), expected)
        for name in ("scale", "shift"):
            if name in layer.frozen and not layer.affine:
                expected = "parameters that the layer has (affine is false)"
                yield f"{key}.frozen", mismatch(quoted(name), expected)
        fan_in, below = layer.units, "unit of the layer below"


def _norm_problems(key: str, layer: LayerSpec) -> Iterator[Problem]:
    if layer.norm is None:
        if layer.affine:
            yield f"{key}.affine", mismatch("true without a norm", 'norm = "batch" or "layer" beside it')
        return
    if layer.norm_eps < 0:
        yield f"{key}.norm_eps", mismatch(value_in_words(layer.norm_eps), "a number of 0 or more")
    if layer.norm_variance == "unbiased" and layer.norm == "layer" and layer.units == 1:
        expected = '"biased", or 2 units or more, because it divides by their number less 1'
        yield f"{key}.norm_variance", mismatch('"unbiased" over 1 unit', expected)


def _given_parameter_problems(
    key: str, layer: LayerSpec, fan_in: int | None, below: str, orientation: Orientation
) -> Iterator[Problem]:
    if layer.W is not None and fan_in is not None:
        if layer.repeat > 1 and fan_in != layer.units:
            found = f"one W for {layer.repeat} layers of which the first is {fan_in}×{layer.units}"
            yield f"{key}.W", mismatch(found, "a width that stays the same, or no W")
        inputs, units = (fan_in, f"one for each {below}"), (layer.units, "one for each unit of this layer")
        (rows, of_rows), (columns, of_columns) = (
            (inputs, units) if orientation == "in_out" else (units, inputs)
        )
        turned = "" if orientation == "in_out" else ' (weights = "out_in")'
        if rows != columns and len(layer.W) == columns and all(len(weights) == rows for weights in layer.W):
            other = "out_in" if orientation == "in_out" else "in_out"
            turned = f'; weights = "{other}" in [network] has it the way it stands here'
        if len(layer.W) != rows:
            yield f"{key}.W", mismatch(count(len(layer.W), "row"), f"{rows}, {of_rows}{turned}")
        for row, weights in enumerate(layer.W):
            if len(weights) != columns:
                expected = f"{columns}, {of_columns}{turned}"
                yield f"{key}.W[{row}]", mismatch(count(len(weights), "value"), expected)
    for name in ("b", "scale", "shift"):
        given = getattr(layer, name)
        if given is not None and name != "b" and not layer.affine:
            yield f"{key}.{name}", mismatch(f"{name} without affine", "affine = true beside it")
        if given is not None and len(given) != layer.units:
            expected = f"{layer.units}, one for each unit of this layer"
            yield f"{key}.{name}", mismatch(count(len(given), "value"), expected)


def init_problems(init: Init) -> Iterator[Problem]:
    """Problems of the weights' initialisation."""
    yield from at_least("network.init.gain", init.gain, 0)
    if init.scheme == "file" and not init.path:
        yield "network.init.path", "missing; expected the path of a .npz or .safetensors file"
    for name in ("path", "names", "layout"):
        if init.scheme != "file" and getattr(init, name) is not None:
            found = f"{name} for the scheme {quoted(init.scheme)}"
            yield f"network.init.{name}", mismatch(found, 'it with "file" only')
    if init.std is None:
        return
    yield from at_least("network.init.std", init.std, 0)
    if init.scheme in ("uniform", "orthogonal", "zeros", "pytorch", "file"):
        found = f"a standard deviation for the scheme {quoted(init.scheme)}, which has none"
        yield "network.init.std", mismatch(found, "gain, or one of the normal schemes")
