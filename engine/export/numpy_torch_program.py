"""A graph as a program that others can run: the same network or expression, its numbers, and the proof that they agree.

    data, weights ── forward ── (backward, by hand or by autograd) ── assert: loss and every gradient are ours

The forward pass is written the same way for NumPy and PyTorch, from the ops' own formulas; backward is spelled out for
NumPy and left to autograd in PyTorch. Each op is spelled here once; a test runs all of them.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatchmethod

import numpy as np

from engine.autodiff.graph import Array, Graph, Node, Op
from engine.autodiff.ops.arithmetic import PairwiseArithmetic
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy, CrossEntropy
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.l2_penalty import L2Penalty
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.normalization import (
    SAMPLES,
    NormalizationAffine,
    NormalizationMean,
    NormalizationStd,
    Standardize,
)
from engine.autodiff.ops.residual import ResidualAdd
from engine.autodiff.ops.softmax import Softmax
from engine.experiment.errors import ExperimentError
from engine.formula.expression import Expr
from engine.formula.matrix_expression import without_indices
from engine.formula.numeric_functions import FUNCTIONS

MOST_NUMBERS = 300_000
"""More numbers than this make no program that anybody could open."""

TOLERANCE, SINGLE_TOLERANCE = 1e-9, 1e-4
"""How far theirs may be from ours, relative to the largest entry: float64, float32."""

ROUNDINGS = 32
"""So many roundings of the largest gradient are no difference."""

TORCH = {
    "linear": "{x}",
    "sigmoid": "torch.sigmoid({x})",
    "tanh": "torch.tanh({x})",
    "relu": "torch.relu({x})",
    "leaky_relu": "torch.nn.functional.leaky_relu({x}, {slope})",
    "elu": "torch.nn.functional.elu({x})",
    "selu": "torch.nn.functional.selu({x})",
    "gelu": "torch.nn.functional.gelu({x})",
    "silu": "torch.nn.functional.silu({x})",
    "softplus": "torch.logaddexp({x}, torch.zeros_like({x}))",
    "step": "({x} > 0).to(DTYPE).requires_grad_()",
    "softmax": "torch.softmax({x}, 0)",
}
"""Every activation in PyTorch's own words. NumPy has none: there the function's formula is written out."""

_NOT_FINITE = re.compile(r"\b(inf|nan)\b")

_RESERVED = {
    "np",
    "torch",
    "math",
    "ours",
    "check",
    "DTYPE",
    "inf",
    "nan",
    "array",
    "indicator",
    "n",
    *FUNCTIONS,
    *dir(builtins),
}
_INDEXED = re.compile(r"\b([A-Za-z_]\w*)\[(\d+)\]")


@dataclass(frozen=True)
class Program:
    """The parts of a generated NumPy or PyTorch program, each as lines."""

    title: str
    setup: list[str]
    data: list[str]
    forward: list[str]
    backward: list[str]
    checks: list[str]
    language: str

    def script(self) -> str:
        """The generated program as one file that runs from top to bottom."""
        parts = [
            f'"""{self.title}\n\nWritten by bptui; it asserts that every number is the same here as there.\n"""'
        ]
        parts += ["\n".join(lines) for lines in (self.setup, self.data)]
        parts += ["# Forward\n" + "\n".join(self.forward), "# Backward\n" + "\n".join(self.backward)]
        parts.append("# The same numbers as in bptui\n" + "\n".join(self.checks))
        return "\n\n".join(parts) + "\n"


def numpy_program(graph: Graph, title: str, source: str) -> Program:
    """Generates the program in NumPy, backward written out. Raises ExperimentError for a graph of too many numbers."""
    return _ProgramWriter(graph, "numpy", source).program(title)


def torch_program(graph: Graph, title: str, source: str) -> Program:
    """Generates the program in PyTorch, backward by autograd.

    Raises ExperimentError for a graph of too many numbers.
    """
    return _ProgramWriter(graph, "pytorch", source).program(title)


class _ProgramWriter:
    """Writes one graph, which has gone forward and backward, in one language."""

    def __init__(self, graph: Graph, language: str, source: str) -> None:
        self.graph, self.language = graph, language
        self.torch = language == "pytorch"
        numbers = sum(node.value.size for node in graph.nodes.values())
        if numbers > MOST_NUMBERS:
            problem = f"has {numbers:,} numbers; expected at most {MOST_NUMBERS:,}, which a program can hold as text"
            raise ExperimentError(source, "", problem)
        self.leaves = [node for node in graph.nodes.values() if node.op is None]
        self.names = self._names()
        self.gradients = self._gradient_names()

    def _names(self) -> dict[int, str]:
        taken: set[str] = set()
        names: dict[int, str] = {}
        for node in self.graph.nodes.values():
            symbol = node.symbol
            name = symbol.name + ("" if symbol.layer is None else str(symbol.layer))
            name = name if name.isascii() else "v_" + name.encode("ascii", "ignore").decode()
            while name in taken or name in _RESERVED or keyword.iskeyword(name):
                name += "_"
            taken.add(name)
            names[id(node)] = name
        return names

    def _gradient_names(self) -> dict[int, str]:
        names = set(self.names.values())
        prefix = "d"
        while any(prefix + name in names for name in names):
            prefix += "d_"
        return {key: prefix + name for key, name in self.names.items()}

    def program(self, title: str) -> Program:
        """All parts."""
        shown = title.replace("\\", "/").replace('"', "'")
        data, forward, backward, checks = (
            list(part()) for part in (self._data, self._forward, self._backward, self._checks)
        )
        setup = list(self._setup())
        if any(_NOT_FINITE.search(line) for line in (*data, *forward, *backward, *checks)):
            setup += ["", 'inf, nan = float("inf"), float("nan")']
        return Program(shown, setup, data, forward, backward, checks, self.language)

    # ── the parts ───────────────────────────────────────────────────────────────────────────────────

    def _setup(self) -> Iterator[str]:
        single = self.graph.dtype == np.float32
        if self.torch:
            yield from ("import torch", "", f"DTYPE = torch.{'float32' if single else 'float64'}", "")
            yield from (
                "",
                "def array(rows):",
                "    return torch.tensor(rows, dtype=DTYPE)",
                "",
                "",
                "def number(x):",
                "    return torch.as_tensor(x, dtype=DTYPE)",
                "",
                "",
                "def maximum(x, y):",
                "    return torch.where(number(x) > number(y), number(x), number(y))",
                "",
                "",
                "def minimum(x, y):",
                "    return torch.where(number(x) < number(y), number(x), number(y))",
                "",
                "",
                "def indicator(condition):",
                "    return number(condition)",
                "",
                "",
            )
            for name in ("sigmoid", "tanh", "exp", "log", "sqrt", "sin", "cos", "erf", "abs", "relu"):
                if self._uses(name):
                    yield from (f"def {name}(x):", f"    return torch.{name}(number(x))", "", "")
        else:
            yield from ("import math", "", "import numpy as np", "")
            yield f"DTYPE = np.{'float32' if single else 'float64'}"
            yield from (
                "exp, log, sqrt, tanh = np.exp, np.log, np.sqrt, np.tanh",
                "sin, cos, maximum, minimum = np.sin, np.cos, np.maximum, np.minimum",
                "erf = np.vectorize(math.erf, otypes=[float])",
                "",
                "",
                "def array(rows):",
                "    return np.array(rows, dtype=DTYPE)",
                "",
                "",
                "def sigmoid(x):",
                "    return 1.0 / (1.0 + np.exp(-x))",
                "",
                "",
                "def relu(x):",
                "    return np.maximum(x, 0.0)",
                "",
                "",
                "def indicator(condition):",
                "    return np.asarray(condition, dtype=DTYPE)",
                "",
                "",
                'np.seterr(all="ignore")',
            )

    def _uses(self, function: str) -> bool:
        return any(f"{function}(" in line for line in self._forward())

    def _data(self) -> Iterator[str]:
        constants = {"n": float(self.graph.n), **self.graph.constants}
        text = "\n".join([*self._forward(), *([] if self.torch else self._backward())])
        for name, value in constants.items():
            if re.search(rf"\b{name}\b", text):
                yield f"{name} = {value!r}"
        for node in self.leaves:
            if not self._is_number(node):
                yield f"{self.names[id(node)]} = {self._literal(node.value, node.scalar)}"
                if self.torch and node.needs_gradient:
                    yield f"{self.names[id(node)]}.requires_grad_()"

    def _is_number(self, node: Node) -> bool:
        """Whether a formula writes the node as its number."""
        return not list(node.entry((0, 0)).symbols())

    def _literal(self, values: Array, scalar: bool) -> str:
        if scalar:
            return f"array({float(values[0, 0])!r})"
        if values.size <= 8:
            return f"array({values.tolist()!r})"
        rows = ",\n".join(f"        {row!r}" for row in values.tolist())
        return f"array(\n    [\n{rows},\n    ]\n)"

    def _forward(self) -> Iterator[str]:
        for op in self.graph.ops:
            name = self.names[id(op.output)]
            yield f"{name} = {self.value(op)}"
            if self.torch and op.output.needs_gradient and not op.output.scalar:
                yield f"if {name}.requires_grad:"
                yield f"    {name}.retain_grad()"

    def _backward(self) -> Iterator[str]:
        end = self._end()
        if self.torch:
            yield f"{end}.backward()"
            return
        for node in self.graph.nodes.values():
            if node.needs_gradient:
                name = self.names[id(node)]
                zero = "0.0" if node.scalar else f"np.zeros_like({name})"
                yield f"{self.gradients[id(node)]} = {zero}"
        row, column = self.graph.seed
        place = "" if self.graph.loss.scalar else f"[{row}, {column}]"
        yield f"{self.gradients[id(self.graph.loss)]}{place} = {'1.0'}"
        for op in reversed(self.graph.ops):
            if op.fused or (not any(op.needs_grad) and not isinstance(op, Loss)):
                continue
            yield from self.slopes(op)

    def _end(self) -> str:
        name = self.names[id(self.graph.loss)]
        row, column = self.graph.seed
        return name if self.graph.loss.scalar else f"{name}[{row}, {column}]"

    def _checks(self) -> Iterator[str]:
        tolerance = TOLERANCE if self.graph.dtype == np.float64 else SINGLE_TOLERANCE
        to_list = "found.detach().numpy()" if self.torch else "found"
        yield from ("import numpy as np", "", "") if self.torch else ("",)
        yield "def check(name, found, ours):"
        yield "    ours = np.asarray(ours, dtype=float)"
        if self.torch:
            yield "    found = torch.zeros(ours.shape, dtype=DTYPE) if found is None else found"
        yield f"    found = np.asarray({to_list}, dtype=float).reshape(ours.shape)"
        if not self._finite():
            yield "    finite = np.isfinite(ours)  # elsewhere it is enough that theirs is not finite either"
            yield "    assert not np.isfinite(found[~finite]).any(), f'{name}: finite, where ours is not'"
            yield "    ours, found = ours[finite], found[finite]"
        yield "    largest = np.abs(ours).max(initial=0.0)"
        yield "    apart = np.abs(found - ours).max(initial=0.0)"
        yield f"    assert apart <= {tolerance!r} * largest + {self._rounding():.1e}, f'{{name}}: {{apart}} apart'"
        yield "    print(f'{name}: the same')"
        yield ""
        yield ""
        end = self.graph.differentiated.plain()
        value = float(self.graph.loss.value[self.graph.seed])
        yield f"check({end!r}, {self._end()}, {value!r})"
        for node in self.graph.nodes.values():
            if not node.needs_gradient or node is self.graph.loss or (self.torch and self._past(node)):
                continue
            found = f"{self.names[id(node)]}.grad" if self.torch else self.gradients[id(node)]
            if not self.torch and self._past(node):
                continue
            if self.torch and node.op is not None and node.scalar:
                continue  # autograd keeps the gradients of leaves
            ours = float(node.grad[0, 0]) if node.scalar else node.grad.tolist()
            yield f"check({f'd{end}/d{node.symbol.plain()}'!r}, {found}, {ours!r})"

    def _finite(self) -> bool:
        """Whether every number that is compared is one."""
        nodes = self.graph.nodes.values()
        return all(np.isfinite(node.value).all() and np.isfinite(node.grad).all() for node in nodes)

    def _rounding(self) -> float:
        """What may be left of gradients that cancel out to 0, as those by a bias below a batch norm."""
        nodes = [node for node in self.graph.nodes.values() if node.needs_gradient]
        grads = (np.abs(node.grad[np.isfinite(node.grad)]) for node in nodes)
        largest = max((float(grad.max(initial=0.0)) for grad in grads), default=0.0)
        return max(ROUNDINGS * float(np.finfo(self.graph.dtype).eps) * largest, 1e-12)

    def _past(self, node: Node) -> bool:
        """Whether the loss goes past a node, straight to the pre-activation: then nobody needs its gradient."""
        return node.op is not None and node.op.fused

    # ── formulas ────────────────────────────────────────────────────────────────────────────────────

    def text(self, expr: Expr) -> str:
        """A formula of whole matrices as code."""
        renamed = {node.symbol.plain(): self.names[id(node)] for node in self.graph.nodes.values()}
        plain = without_indices(expr).plain()
        plain = _INDEXED.sub(lambda match: renamed.get(match[0], match[0]), plain)
        bare = {old: new for old, new in renamed.items() if "[" not in old and old != new}
        for old, new in bare.items():
            plain = re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w\[(])", new, plain)
        return plain

    def _of(self, node: Node) -> str:
        return self.names[id(node)]

    def _by(self, node: Node) -> str:
        return self.gradients[id(node)]

    # ── every op's value ────────────────────────────────────────────────────────────────────────────

    @singledispatchmethod
    def value(self, op: Op) -> str:
        """How the output is computed from the inputs. Raises TypeError for an op that is not spelled here."""
        raise TypeError(f"{type(op).__name__} is not spelled for other programs")

    @value.register
    def _(self, op: Linear) -> str:
        weight, activation = op.inputs[:2]
        bias = f" + {self._of(op.inputs[BIAS])}" if len(op.inputs) > BIAS else ""
        turned = "" if op.out_in else ".T"
        return f"{self._of(weight)}{turned} @ {self._of(activation)}{bias}"

    @value.register
    def _(self, op: Elementwise) -> str:
        (node,) = op.inputs
        spelled = TORCH.get(op.function.name)
        if self.torch and spelled is not None and not node.scalar:
            return spelled.format(x=self._of(node), slope=_leak(op))
        return self.text(op.function.formula(node.entry((0, 0))))

    @value.register
    def _(self, op: Softmax) -> str:
        name = self._of(op.inputs[0])
        if self.torch:
            return TORCH["softmax"].format(x=name)
        return f"exp({name} - {name}.max(axis=0)) / exp({name} - {name}.max(axis=0)).sum(axis=0)"

    @value.register
    def _(self, op: PairwiseArithmetic) -> str:
        x, y = op.inputs
        return self.text(op.rule.formula(x.entry((0, 0)), y.entry((0, 0))))

    @value.register
    def _(self, op: ResidualAdd) -> str:
        x, y = op.inputs
        return self.text(x.entry((0, 0)) + y.entry((0, 0)))

    @value.register
    def _(self, op: NormalizationMean) -> str:
        return f"{self._of(op.inputs[0])}.mean({self._over(op.axis)})"

    @value.register
    def _(self, op: NormalizationStd) -> str:
        deviation = f"({self._of(op.inputs[0])} - {self._of(op.mean)}) ** 2"
        return f"(({deviation}).sum({self._over(op.axis)}) / {_divisor(op)} + {op.epsilon!r}) ** 0.5"

    @value.register
    def _(self, op: Standardize) -> str:
        value, mean, std = map(self._of, op.inputs)
        return f"({value} - {mean}) / {std}"

    @value.register
    def _(self, op: NormalizationAffine) -> str:
        h, scale, shift = map(self._of, op.inputs)
        return f"{scale} * {h} + {shift}"

    @value.register
    def _(self, op: L2Penalty) -> str:
        squares = " + ".join(f"({self._of(node)} ** 2).sum()" for node in op.inputs)
        return f"{op.strength!r} / 2 * ({squares})"

    @value.register
    def _(self, op: Loss) -> str:
        sign = "-" if op.negative else ""
        prediction, label = op.inputs
        term = self.text(op.term_of(prediction.symbol, label.symbol))
        return f"{sign}({term}).sum() / {op.divisor!r}"

    @value.register
    def _(self, op: BinaryCrossEntropy) -> str:
        if op.logits is None:
            return self._plain_loss(op)
        f, y = self._of(op.logits), self._of(op.inputs[1])
        module = "torch" if self.torch else "np"
        zero = f"{module}.zeros_like({f})"
        if_one, if_zero = f"{module}.logaddexp({zero}, -{f})", f"{module}.logaddexp({zero}, {f})"
        return f"({op.alpha!r} * {y} * {if_one} + {op.beta!r} * (1 - {y}) * {if_zero}).sum() / {op.divisor!r}"

    @value.register
    def _(self, op: CrossEntropy) -> str:
        if op.logits is None:
            return self._plain_loss(op)
        f, y = self._of(op.logits), self._of(op.inputs[1])
        total = f"torch.logsumexp({f}, 0)" if self.torch else f"np.logaddexp.reduce({f}, axis=0)"
        return f"({y} * ({total} - {f})).sum() / {op.divisor!r}"

    def _plain_loss(self, op: Loss) -> str:
        sign = "-" if op.negative else ""
        prediction, label = op.inputs
        return f"{sign}({self.text(op.term_of(prediction.symbol, label.symbol))}).sum() / {op.divisor!r}"

    def _over(self, axis: int) -> str:
        return f"axis={axis}, keepdims=True"

    # ── every op's backward ─────────────────────────────────────────────────────────────────────────

    @singledispatchmethod
    def slopes(self, op: Op) -> Iterator[str]:
        """How the output's gradient is sent to the inputs, in NumPy."""
        raise TypeError(f"{type(op).__name__} is not spelled for other programs")

    def _send(self, op: Op, i: int, code: str) -> Iterator[str]:
        if op.needs_grad[i]:
            yield f"{self._by(op.inputs[i])} += {code}"

    @slopes.register
    def _(self, op: Linear) -> Iterator[str]:
        above = self._by(op.output)
        weight, activation = self._of(op.inputs[WEIGHT]), self._of(op.inputs[ACTIVATION])
        yield from self._send(
            op, WEIGHT, f"{above} @ {activation}.T" if op.out_in else f"{activation} @ {above}.T"
        )
        yield from self._send(op, ACTIVATION, f"{weight}{'.T' if op.out_in else ''} @ {above}")
        if len(op.inputs) > BIAS:
            yield from self._send(op, BIAS, f"{above}.sum(axis=1, keepdims=True)")

    @slopes.register
    def _(self, op: Elementwise) -> Iterator[str]:
        slope = self.text(op.function.derivative_formula(op.inputs[0].entry((0, 0))))
        yield from self._send(op, 0, f"{self._by(op.output)} * ({slope})")

    @slopes.register
    def _(self, op: Softmax) -> Iterator[str]:
        y, above = self._of(op.output), self._by(op.output)
        yield from self._send(op, 0, f"{y} * ({above} - ({above} * {y}).sum(axis=0))")

    @slopes.register
    def _(self, op: PairwiseArithmetic) -> Iterator[str]:
        x, y = (node.entry((0, 0)) for node in op.inputs)
        for i, partial in enumerate(op.rule.partial_formulas):
            yield from self._send(op, i, f"{self._by(op.output)} * ({self.text(partial(x, y))})")

    @slopes.register
    def _(self, op: ResidualAdd) -> Iterator[str]:
        for i in range(2):
            yield from self._send(op, i, self._by(op.output))

    @slopes.register
    def _(self, op: NormalizationMean) -> Iterator[str]:
        yield from self._send(op, 0, f"{self._by(op.output)} / {op.inputs[0].shape[op.axis]}")

    @slopes.register
    def _(self, op: NormalizationStd) -> Iterator[str]:
        node = op.inputs[0]
        deviation = f"({self._of(node)} - {self._of(op.mean)})"
        share = f"({_divisor(op)} * {self._of(op.output)})"
        yield from self._send(op, 0, f"{self._by(op.output)} * {deviation} / {share}")

    @slopes.register
    def _(self, op: Standardize) -> Iterator[str]:
        above, h, std = self._by(op.output), self._of(op.output), self._of(op.inputs[2])
        over = self._over(1 if op.axis == SAMPLES else 0)
        yield from self._send(op, 0, f"{above} / {std}")
        yield from self._send(op, 1, f"-({above} / {std}).sum({over})")
        yield from self._send(op, 2, f"-({above} * {h} / {std}).sum({over})")

    @slopes.register
    def _(self, op: NormalizationAffine) -> Iterator[str]:
        h, scale, _ = map(self._of, op.inputs)
        above = self._by(op.output)
        yield from self._send(op, 0, f"{scale} * {above}")
        yield from self._send(op, 1, f"({h} * {above}).sum(axis=1, keepdims=True)")
        yield from self._send(op, 2, f"{above}.sum(axis=1, keepdims=True)")

    @slopes.register
    def _(self, op: L2Penalty) -> Iterator[str]:
        for i, node in enumerate(op.inputs):
            yield from self._send(op, i, f"{op.strength!r} * {self._of(node)} * {self._by(op.output)}")

    @slopes.register
    def _(self, op: Loss) -> Iterator[str]:
        prediction, label = op.inputs
        above = self._by(op.output)
        if op.logits is None:
            yield from self._send(op, 0, f"{above} * ({self.text(op.by_prediction((0, 0)))})")
            return
        y_hat, y = self._of(prediction), self._of(label)
        if isinstance(op, BinaryCrossEntropy):
            error = f"{op.beta!r} * (1 - {y}) * {y_hat} - {op.alpha!r} * {y} * (1 - {y_hat})"
        else:
            error = f"{y_hat} * {y}.sum(axis=0) - {y}"
        yield f"{self._by(op.logits)} += {above} * ({error}) / {op.divisor!r}"


def _leak(op: Elementwise) -> float:
    """The slope of a leaky ReLU for what is below 0."""
    x, out = np.array([-1.0]), np.empty(1)
    op.function.derivative(x, -x, out)
    return float(out[0])


def _divisor(op: NormalizationStd) -> int:
    """What the sum of squares is divided by."""
    return op.inputs[0].shape[op.axis] - op.unbiased
