"""A graph as a program that others can run: the same network or expression, its numbers, and the proof that they agree.

    data, weights ── forward ── (backward, by hand or by autograd) ── assert: loss and every gradient are ours

The forward pass is written the same way for NumPy and PyTorch, from the ops' own formulas; backward is spelled out for
NumPy and left to autograd in PyTorch. Each op is spelled once, in `op_code.py`; a test runs all of them.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Array, Graph, Node
from engine.autodiff.ops.loss import Loss
from engine.experiment.errors import ExperimentError
from engine.export.op_code import OpCode
from engine.formula.numeric_functions import FUNCTIONS

MOST_NUMBERS = 300_000
"""More numbers than this make no program that anybody could open."""

TOLERANCE, SINGLE_TOLERANCE = 1e-9, 1e-4
"""How far theirs may be from ours, relative to the largest entry: float64, float32."""

ROUNDINGS = 32
"""So many roundings of the largest gradient are no difference."""

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
        self.code = OpCode(graph, self.torch, self.names, self.gradients)

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
            yield f"{name} = {self.code.value(op)}"
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
            yield from self.code.slopes(op)

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
