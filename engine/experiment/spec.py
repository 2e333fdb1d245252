"""The experiment: what an experiment file says, as typed and frozen values.

    Experiment ─┬─ data      which samples: inline, csv, or one of the seeded generators
                ├─ network   the layers, in order, and how to initialise them
                ├─ loss      what is minimised, and how it is summed
                ├─ train     optimiser, learning rate, batch, steps
                ├─ notation  what the quantities are called
                └─ view      what the app opens it with

`loading.py` reads one from a file or a preset, `validation.py` says whether it makes sense.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from engine.experiment.activation_traits import Activation as Activation
from engine.experiment.loss_specs import AbsoluteErrorLoss as AbsoluteErrorLoss
from engine.experiment.loss_specs import BceLoss as BceLoss
from engine.experiment.loss_specs import CrossEntropyLoss as CrossEntropyLoss
from engine.experiment.loss_specs import HuberLoss as HuberLoss
from engine.experiment.loss_specs import Loss as Loss
from engine.experiment.loss_specs import LossSpec as LossSpec
from engine.experiment.loss_specs import SquaredErrorLoss as SquaredErrorLoss
from engine.experiment.notation_spec import NotationSpec as NotationSpec
from engine.experiment.optimizer_specs import SgdTraining as SgdTraining
from engine.experiment.optimizer_specs import Train as Train
from engine.experiment.optimizer_specs import TrainSpec as TrainSpec
from engine.experiment.spec_base import Spec as Spec
from engine.experiment.spec_base import TaggedSpec as TaggedSpec
from engine.formula.course_notation import CourseNames

DType: TypeAlias = Literal["float64", "float32"]
Norm: TypeAlias = Literal["batch", "layer"]
Parameter: TypeAlias = Literal["W", "b", "scale", "shift"]
Scheme: TypeAlias = Literal[
    "he", "xavier", "lecun", "normal", "uniform", "orthogonal", "zeros", "pytorch", "file"
]
Orientation: TypeAlias = Literal["in_out", "out_in"]
"""Whether W is (fan_in, units), and f = Wᵀa + b, or (units, fan_in), as PyTorch has it, and f = W a + b."""

Layout: TypeAlias = Literal["columns", "rows"]
"""Whether a matrix of data has one sample a column, as this program computes, or a row, as NumPy and csv have it."""

Matrix: TypeAlias = list[list[float]]
"""A matrix as the file writes it: a list of rows."""


# ---------------------------------------------------------------------------------------------- data


class DataSpec(TaggedSpec, frozen=True, kw_only=True):
    """The settings of every kind of data."""

    ones_row: bool = False  # a row of ones before the features: the tutorials' bias
    test_share: float = 0.0  # the share of the samples that is held out, rounded up to whole samples
    standardize: bool = False  # each feature minus its mean, over its standard deviation


class InlineData(DataSpec, tag="inline", frozen=True, kw_only=True):
    """Inline data, the numbers themselves: X is (features, n), Y is (outputs, n)."""

    X: Matrix
    Y: Matrix
    layout: Layout = "columns"


class CsvData(DataSpec, tag="csv", frozen=True, kw_only=True):
    """Columns of a CSV file, one sample a row; a relative path starts at the experiment file's folder.

    `features` are names or patterns such as "px*", or "*" for every column that is no label. Several labels make as
    many outputs. Columns of a file without a header row are named c0, c1, ….
    """

    path: str
    features: Literal["*"] | list[str]
    label: str | list[str]
    categorical: list[str] = msgspec.field(
        default_factory=list
    )  # features whose texts become one row of zeros and ones each
    delimiter: str | None = None  # found out where it is not given
    decimal: Literal[".", ","] = "."
    header: bool = True

    @property
    def labels(self) -> list[str]:
        """The label columns, also where there is only one."""
        return [self.label] if isinstance(self.label, str) else self.label


class NpzData(DataSpec, tag="npz", frozen=True, kw_only=True):
    """Two arrays of a NumPy archive; a relative path starts at the experiment file's folder."""

    path: str
    X: str = "X"
    Y: str = "Y"
    layout: Layout = "columns"


class WineData(DataSpec, tag="wine", frozen=True, kw_only=True):
    """Two varieties of wine, ten of B for each of A, by colour intensity and alcohol."""

    n: int = 1100


class XorData(DataSpec, tag="xor", frozen=True, kw_only=True):
    """The xor data set: the truth table of exclusive or; noise blurs its corners."""

    n: int = 4
    noise: float = 0.0


class MoonsData(DataSpec, tag="moons", frozen=True, kw_only=True):
    """The moons data set: two interleaved half circles."""

    n: int = 200
    noise: float = 0.1


class CirclesData(DataSpec, tag="circles", frozen=True, kw_only=True):
    """The circles data set: one circle inside another."""

    n: int = 200
    noise: float = 0.05


class SpiralsData(DataSpec, tag="spirals", frozen=True, kw_only=True):
    """The spirals data set: interleaved spiral arms, one a class."""

    n: int = 200
    noise: float = 0.02
    classes: int = 2


class BlobsData(DataSpec, tag="blobs", frozen=True, kw_only=True):
    """The blobs data set: round clouds on a circle, one a class."""

    n: int = 200
    noise: float = 0.3
    classes: int = 2


class RandomData(DataSpec, tag="random", frozen=True, kw_only=True):
    """Random data: standard normal inputs with labels that have nothing to do with them."""

    n: int
    features: int
    outputs: int = 1


Data: TypeAlias = (
    InlineData
    | CsvData
    | NpzData
    | WineData
    | XorData
    | MoonsData
    | CirclesData
    | SpiralsData
    | BlobsData
    | RandomData
)


# ------------------------------------------------------------------------------------------- network


class LayerSpec(Spec, frozen=True, kw_only=True):
    """One layer, or `repeat` equal layers in a row: f of W, a and b, perhaps normalised, then the activation."""

    units: int
    activation: Activation = "linear"
    slope: float | None = None  # of leaky_relu where f < 0; None means 0.01
    repeat: int = 1
    residual: bool = False
    norm: Norm | None = None
    affine: bool = False  # with a norm: u = scale ⊙ h + shift, both trained
    norm_eps: float = 1e-5  # added to the variance
    norm_variance: Literal["biased", "unbiased"] = "biased"  # divided by the count, or by the count less 1
    W: Matrix | None = None  # in the orientation of network.weights; None leaves it to the initialiser
    b: list[float] | None = None
    scale: list[float] | None = None  # with affine: what it begins with, in place of ones
    shift: list[float] | None = None  # with affine: in place of zeros
    frozen: list[Parameter] = msgspec.field(
        default_factory=list
    )  # parameters that the optimiser leaves alone


class Init(Spec, frozen=True, kw_only=True):
    """The [network.init] table: how weights are drawn in layers that do not give W.

    With the scheme "file" they are read: `names` are the layers' (by order where not given), `layout` is the file's.
    """

    scheme: Scheme = "he"
    bias: Literal["zeros", "uniform"] | None = None  # uniform: U(±1/√fan_in), as scheme "pytorch" draws them
    gain: float = 1.0
    std: float | None = None
    path: str | None = None
    names: list[str] | None = None
    layout: Orientation | None = None  # as `weights` where it is not given

    @property
    def draws_biases(self) -> bool:
        """Whether biases that are not given are drawn from U(±1/√fan_in): otherwise they begin at 0."""
        return (self.bias or ("uniform" if self.scheme == "pytorch" else "zeros")) == "uniform"


class NetworkSpec(Spec, frozen=True, kw_only=True):
    """The [network] table: the layers from the input to the output."""

    layers: list[LayerSpec]
    bias: bool = False
    weights: Orientation = "in_out"
    init: Init = msgspec.field(default_factory=Init)

    def has_bias(self, layer: LayerSpec) -> bool:
        """Whether `layer` has a vector b: all layers do with `bias = true`, others when they give one."""
        return self.bias or layer.b is not None


# ---------------------------------------------------------------------------------- loss and training


# ---------------------------------------------------------------------------------------------- view


class View(Spec, frozen=True, kw_only=True):
    """The [view] table: what the app opens the experiment with; what is not given it chooses itself."""

    screen: Literal["stepper", "gradients", "relu"] | None = None
    target: str | None = None  # the entry whose gradient is taken apart, such as W[1][1,1]
    of: str | None = (
        None  # what is differentiated in place of the loss: one computed number, such as Y_hat[0,0]
    )
    sample: int | None = None
    phase: Literal["forward", "loss", "backward", "update"] | None = None  # of the stepper
    step: int | None = None  # of the phase, from 1 on
    term: int | None = None  # of the step, from 1 on; the path's own is the first
    follow: str | None = None  # the branches of the path, 2.1,4.3: a step from the target, and a term of it
    digits: Literal[4, 6, 10] | None = None  # that are shown of every number
    metric: Literal["max", "mean", "l2", "delta"] | None = None  # the magnitude of the gradients screen
    chart: Literal["profile", "layers", "history", "strip", "budget"] | None = None  # its picture
    axis: Literal["log", "linear"] | None = None
    layer: int | None = None  # under the cursor of the training screens, from 1 on
    unit: int | None = None  # of that layer, from 0 on as the units screen counts
    filter: str | None = None  # only layers whose name holds this or fits it


# ---------------------------------------------------------------------------------------- experiment


class Experiment(Spec, frozen=True, kw_only=True):
    """A whole experiment file: everything that determines a run."""

    data: Data
    network: NetworkSpec
    loss: Loss
    train: Train = msgspec.field(default_factory=SgdTraining)
    notation: NotationSpec = msgspec.field(default_factory=NotationSpec)
    view: View = msgspec.field(default_factory=View)
    title: str = ""
    about: str = ""  # one sentence on what there is to see
    seed: int = 0
    dtype: DType = "float64"

    @property
    def names(self) -> CourseNames:
        """The letters that the experiment calls the quantities by, on screen and as they are typed."""
        return self.notation.own_names()
