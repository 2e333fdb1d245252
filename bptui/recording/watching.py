"""Watching one optimizer: its step is where every gradient of an update is complete, once.

    backward, backward, …  clip  optimizer.step()
                                 └── hook: ‖g‖ of every parameter, loss, learning rate ──> one line of the run log

So accumulated gradients, checkpointed or compiled models, tied weights, several optimizers and parameters without a
gradient are measured right, and no backward hook is needed. Where the step is given a closure, which makes the
gradients only then, it is measured after the closure's first call. Nothing here stops a training: the first thing
that goes wrong is told in one line, and then there is silence.
"""

from __future__ import annotations

import math
import os
import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any

from . import clipping, gradients, losses
from .parameter_names import named, parameters_of
from .run_log import RunLog, say
from .usual_update import UsualUpdate

QUIET_WINDOW = 100
"""Batches over which a unit must be 0 for every sample to be counted as silent, unless said otherwise."""


def watch(
    model: Any,
    optimizer: Any,
    path: str | os.PathLike[str] = "run.jsonl",
    *,
    every: int = 1,
    activations: bool = False,
    grad_max: bool = False,
    grad_mean: bool = False,
    update_ratio: bool = False,
    quiet_window: int = QUIET_WINDOW,
    reduce: bool = False,
    title: str = "",
) -> Watching:
    """Records every `every`-th update of a torch optimizer; ends with `close()` or the end of a `with` block.

    The L2 norm of every parameter's gradient (before clipping), loss, learning rate and time are logged. More is
    logged on request, as it costs more: `grad_max` and `grad_mean` (of |g|), `update_ratio` (‖ΔW‖/‖W‖; copies the
    parameters), `activations` (the share of zeros after every ReLU module, and its units that were 0 for every
    sample of the last `quiet_window` batches). With `reduce`, norms of sharded parameters are summed over the ranks:
    every rank must watch then, as one that waits alone waits for ever.

    The layers are the parameters' names in the order of `model.named_parameters()`. Without `run.loss(...)`, the
    loss is what `.backward()` was called on. In a distributed training, rank 0 writes.
    Raises ValueError for `every` below 1.
    """
    return Watching(
        model,
        optimizer,
        path,
        every=every,
        activations=activations,
        wanted=[
            name
            for name, asked in (
                ("grad_max", grad_max),
                ("grad_mean", grad_mean),
                ("update_ratio", update_ratio),
            )
            if asked
        ],
        quiet_window=quiet_window,
        reduce=reduce,
        title=title,
    )


class Watching:
    """One optimizer that is being watched; made by `watch`."""

    def __init__(
        self,
        model: Any | None,
        optimizer: Any,
        path: str | os.PathLike[str],
        *,
        every: int = 1,
        activations: bool = False,
        wanted: list[str] | None = None,
        quiet_window: int = QUIET_WINDOW,
        reduce: bool = False,
        title: str = "",
        hooked: bool = False,
        **header: Any,
    ) -> None:
        """`hooked`: somebody else calls `before_step`."""
        if every < 1:
            raise ValueError(f"every counts updates and is at least 1, not {every}")
        if activations and model is None:
            raise ValueError("activations are those of a model, and none was given")
        self.log: RunLog | None = None
        self.begun: Callable[[RunLog], None] | None = None
        """Called once with the log, when there is something to write: with a closure, that is after the hook."""
        self.updates = 0
        """How many updates have begun."""
        self._model, self._path = model, path
        self._known_optimizer = weakref.ref(optimizer)
        self._every, self._reduce, self._wanted = every, reduce, wanted or []
        self._header = {"title": title, "optimizer": type(optimizer).__name__, "every": every, **header}
        self._told: list[Any] = []
        self._silent = False  # another rank writes, or something went wrong
        self._began = time.perf_counter()
        self._layers: list[tuple[str, Any]] | None = None
        self._usual: UsualUpdate | None = None
        self._template = ""
        self._counted = -1
        self._known_rank: int | None = None
        self._copies: list[Any] | None = None
        self._handles: list[Any] = []
        self._activity: Any = None
        clipping.watch_clipping()
        losses.watch_backward()
        self._open = True
        if not hooked:
            self._handles.append(optimizer.register_step_pre_hook(self.before_step))
        if "update_ratio" in self._wanted:
            self._handles.append(optimizer.register_step_post_hook(self._after_step))
        if activations:
            from .activations import RecordedActivations

            self._activity = RecordedActivations(model, quiet_window)
            self._header["quiet_window"] = quiet_window
        # A training that throws its optimizer away, as a search over many does, gets memory and file back.
        self._at_its_end = weakref.finalize(optimizer, self.close)
        self._at_its_end.atexit = False

    # ── what the training calls ─────────────────────────────────────────────────────────────────────

    def loss(self, loss: Any) -> None:
        """The loss of the next update, a tensor or a number; several of them before it are averaged."""
        self._told.append(loss.detach() if hasattr(loss, "detach") else loss)

    def close(self) -> None:
        """Ends the watching and puts torch's functions back. Closing twice is no error."""
        if not self._open:
            return
        self._open = False
        self._at_its_end.detach()
        self._model = self._layers = self._usual = None
        for handle in self._handles:
            handle.remove()
        if self._activity is not None:
            self._activity.close()
        clipping.forget_clipping()
        losses.forget_backward()
        if self.log is not None:
            self.log.close()

    def __enter__(self) -> Watching:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _optimizer(self) -> Any:
        return self._known_optimizer()

    # ── the hook ────────────────────────────────────────────────────────────────────────────────────

    def before_step(self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Measures an update, as torch's step pre-hook, or returns arguments whose closure does.

        `args[0]` is the optimizer.
        """
        if self._silent:
            return None
        step, self.updates = self.updates, self.updates + 1
        due = step % self._every == 0
        closure = kwargs.get("closure") or (args[1] if len(args) > 1 else None)
        if not callable(closure):
            self._try(step, due)
            return None
        measuring = self._once_after(closure, step, due)
        if "closure" in kwargs:
            return args, {**kwargs, "closure": measuring}
        return (args[0], measuring, *args[2:]), kwargs

    def _once_after(self, closure: Callable[..., Any], step: int, due: bool) -> Callable[..., Any]:
        done = False

        def measuring(*positional: Any, **named_arguments: Any) -> Any:
            nonlocal done
            result = closure(*positional, **named_arguments)
            if not done:
                done = True
                self._try(step, due)
            return result

        return measuring

    def _try(self, step: int, due: bool) -> None:
        try:
            if not due:
                losses.backward_loss()
            elif self._usual is None or not self._measure_as_usual(step):
                self._measure(step)
            self._told.clear()
            if clipping.factors:
                clipping.updated(parameters_of(self._optimizer))
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._silent = True
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        say(f"{self._path}: recording ends here ({reason}); the training goes on without it")

    # ── measuring ───────────────────────────────────────────────────────────────────────────────────

    def _measure_as_usual(self, step: int) -> bool:
        """The same record as `_measure` makes, in a fraction of the time; False where the update is no usual one."""
        optimizer, usual, log = self._optimizer, self._usual, self.log
        if (
            clipping.factors
            or usual is None
            or log is None
            or getattr(optimizer, "grad_scale", None) is not None
            or getattr(optimizer, "found_inf", None) is not None
            or self._count() != self._counted
        ):
            return False
        norms = usual.norms()
        if norms is None:
            return False
        heard, rate = self._loss(), optimizer.param_groups[0].get("lr")
        loss = math.nan if heard is None else float(heard)
        rate = math.nan if rate is None else float(rate)
        numbers = (rate, time.perf_counter() - self._began, *norms)
        if "loss" in self._fields:
            numbers = (loss, *numbers)
        if math.isfinite(sum(numbers)):
            log.write(self._template % (step, *numbers))
        else:
            self._write(step, loss, rate, 1.0, False, {"grad_l2": [*norms]})
        return True

    def _measure(self, step: int) -> None:
        import torch

        layers = self._known_layers()
        if self._silent:
            return
        parameters = [parameter for _, parameter in layers]
        own = [one.grad for one in parameters]
        places = [place for place, gradient in enumerate(own) if gradient is not None]
        with torch.no_grad():
            found = [gradients.plain(own[place]) for place in places]
            values: dict[str, list[float | None]] = {
                "grad_l2": [None if not one.requires_grad else 0.0 for one in parameters]
            }
            measured: dict[str, list[Any]] = {"grad_l2": gradients.norms(found)}
            if "grad_max" in self._wanted:
                measured["grad_max"] = [gradients.largest(one) for one in found]
            if "grad_mean" in self._wanted:
                measured["grad_mean"] = gradients.norms(found, 1)
            factors = clipping.factors_of([parameters[place] for place in places])
            distinct = list({id(one): one for one in factors if one is not None}.values())
            scalars = [self._loss(), self._learning_rate(), *self._scaling(), *distinct]
            flat = [*scalars, *(one for column in measured.values() for one in column)]
            numbers = gradients.to_host([math.nan if one is None else one for one in flat])
            if self._copies is None and "update_ratio" in self._wanted:
                self._copies = [one.detach().clone() for one in parameters]
        loss, rate, scale, infinite = numbers[:4]
        by_id = {id(one): number for one, number in zip(distinct, numbers[4:])}
        divided = [scale * (1.0 if one is None else by_id[id(one)]) for one in factors]
        at = len(scalars)
        for name in measured:
            column = values[name] = list(values["grad_l2"])
            for place, gradient, divisor, number in zip(places, found, divided, numbers[at:]):
                if name != "grad_max" and gradients.unsure(number, gradient):
                    number = gradients.again(gradient, 1 if name == "grad_mean" else 2)
                if name == "grad_mean":
                    number /= max(gradient.numel(), 1)
                column[place] = number / divisor if divisor else (math.nan if number else 0.0)
            at += len(places)
        if self._reduce:
            self._sum_shards(places, parameters, values)
        # (the rank that does not write has done its part of the sum)
        if self._rank() == 0:
            clipped = min(by_id.values(), default=1.0)
            self._write(step, loss, rate, clipped, bool(infinite), values)

    def _known_layers(self) -> list[tuple[str, Any]]:
        """Names and parameters; looked up anew where the optimizer has got more of them."""
        count = self._count()
        if self._layers is None:
            if self._rank() != 0 and not self._reduce:
                self._silent = True
                return []
            self._layers = named(self._optimizer, self._model)
            self._counted = count
            if self._activity is not None:
                self._activity.place([parameter for _, parameter in self._layers])
        elif count != self._counted:
            self._counted = count
            say(f"{self._path}: the optimizer has other parameters now; those of the start are recorded")
        return self._layers

    def _count(self) -> int:
        count = 0
        for group in self._optimizer.param_groups:
            count += len(group["params"])
        return count

    def _loss(self) -> Any | None:
        heard = losses.backward_loss()
        if not self._told:
            return heard
        total = self._told[0]
        for one in self._told[1:]:
            total = total + one
        return total / len(self._told)

    def _learning_rate(self) -> Any:
        return self._optimizer.param_groups[0].get("lr")

    def _scaling(self) -> tuple[Any, Any]:
        """What a fused optimizer's gradients are still multiplied by, and whether one of them is not finite."""
        scale = getattr(self._optimizer, "grad_scale", None)
        infinite = getattr(self._optimizer, "found_inf", None)
        return (1.0 if scale is None else scale), (0.0 if infinite is None else infinite)

    def _rank(self) -> int:
        if self._known_rank is None:
            self._known_rank = self._find_rank()
        return self._known_rank

    def _find_rank(self) -> int:
        import torch

        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            return int(distributed.get_rank())
        return int(os.environ.get("RANK") or 0)

    def _sum_shards(
        self, places: list[int], parameters: list[Any], values: dict[str, list[float | None]]
    ) -> None:
        """Norms of whole parameters from those of their shards: a collective, so every rank must come here."""
        import torch

        for name, column in values.items():
            operation = (
                torch.distributed.ReduceOp.MAX if name == "grad_max" else torch.distributed.ReduceOp.SUM
            )
            groups: dict[Any, tuple[Any, list[int]]] = {}
            for place in places:
                for mesh, dimension in _shards(parameters[place]):
                    groups.setdefault((id(mesh), dimension), (mesh, []))[1].append(place)
            for (_, dimension), (mesh, members) in groups.items():
                own = [float(column[place] or 0.0) for place in members]
                if name == "grad_l2":
                    own = [number * number for number in own]
                device = gradients.plain(parameters[members[0]].grad).device
                together = torch.tensor(own, dtype=torch.float64, device=device)
                torch.distributed.all_reduce(together, op=operation, group=mesh.get_group(dimension))
                for place, number in zip(members, together.tolist()):
                    column[place] = math.sqrt(number) if name == "grad_l2" else number

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────

    def _write(
        self,
        step: int,
        loss: float,
        rate: float,
        clipped: float,
        skipped: bool,
        values: dict[str, list[float | None]],
    ) -> None:
        known = self._layers or []
        is_first = self.log is None
        if self.log is None:
            self.log = self._begin(values)
            if not self._wanted and self._activity is None and not self._reduce:
                self._usual = UsualUpdate.made_for([parameter for _, parameter in known])
                scalars = ("loss", "learning_rate", "seconds")
                self._template = self.log.template(
                    scalars if "loss" in self._fields else scalars[1:], "grad_l2"
                )
        if self._activity is not None:
            values = {**values, **self._activity.columns()}
        named_values: dict[str, Any] = {}
        if "loss" in self._fields:
            named_values["loss"] = loss
        named_values["learning_rate"] = rate
        named_values["seconds"] = time.perf_counter() - self._began
        bad = [
            name
            for (name, _), norm in zip(known, values["grad_l2"])
            if norm is not None and not math.isfinite(norm)
        ]
        no_loss = "loss" in self._fields and not math.isfinite(loss)
        problem = None if skipped else _problem(step, no_loss, bad, len(known))
        line = {
            **named_values,
            **values,
            "clipped": clipped,
            "nonfinite": 0 if skipped else len(bad) + no_loss,
            "problem": problem,
            "skipped": skipped,
        }
        if "update_ratio" in self._wanted:
            self._unfinished: tuple[int, dict[str, Any]] | None = (step, line)
        else:
            self.log.step(step, **line)
        if is_first and self.begun is not None:
            self.begun(self.log)  # now it is known which name was free

    def _begin(self, values: dict[str, list[float | None]]) -> RunLog:
        layers = self._layers or []
        header = dict(self._header)
        heard = bool(losses._since_update)
        self._fields = {"loss"} if self._told or heard else set()
        if self._fields:
            header["loss_from"] = "watch" if self._told else "backward"
        header["measured"] = "after clipping" if clipping.by_value else "before clipping"
        kinds = sorted({str(parameter.dtype).rpartition(".")[2] for _, parameter in layers})
        header["dtype"] = ", ".join(kinds)
        header["shapes"] = [list(parameter.shape) for _, parameter in layers]
        frozen = [name for name, parameter in layers if not parameter.requires_grad]
        if frozen:
            header["frozen"] = frozen
        if not self._reduce and any(_is_shard(parameter) for _, parameter in layers):
            header["shard"] = True
        return RunLog(self._path, [name for name, _ in layers], **header)

    def _after_step(self, *_: Any) -> None:
        """torch's step post-hook, for `update_ratio`: ‖ΔW‖/‖W‖ from the copies that were made before."""
        if self._copies is None or self._silent:
            return
        import torch

        copies, self._copies = self._copies, None
        try:
            unfinished, self._unfinished = self._unfinished, None
            if unfinished is None or self.log is None:
                return
            now = [gradients.plain(parameter) for _, parameter in self._layers or []]
            before = [gradients.plain(one) for one in copies]
            with torch.no_grad():
                moved = gradients.norms([one - other for one, other in zip(now, before)])
                sizes = gradients.norms(before)
                numbers = gradients.to_host([*moved, *sizes])
            half = len(now)
            ratios = [
                move / size if size else (math.inf if move else 0.0)
                for move, size in zip(numbers[:half], numbers[half:])
            ]
            step, line = unfinished
            self.log.step(step, **line, update_ratio=ratios)
        except Exception as error:
            self._give_up(error)


def _problem(step: int, no_loss: bool, bad: list[str], layers: int) -> str | None:
    """In a sentence, what is not finite in this step."""
    if not (no_loss or bad):
        return None
    loss = "the loss is not finite" if no_loss else ""
    if len(bad) == layers:
        which = f"the gradients of all {layers} parameters" if layers > 1 else f"the gradient of {bad[0]}"
    elif len(bad) == 1:
        which = f"the gradient of {bad[0]}"
    else:
        which = (
            f"the gradients of {len(bad)} of {layers} parameters, the last of them {bad[-1]}," if bad else ""
        )
    verb = "is" if len(bad) == 1 else "are"
    said = [loss] if loss else []
    if which:
        said.append(f"{which} {verb} not finite")
    return f"step {step}: {', and '.join(said)}"


def _shards(parameter: Any) -> list[tuple[Any, int]]:
    """The dimensions of a device mesh over which a parameter is split, as pairs (mesh, dimension)."""
    if not hasattr(parameter, "device_mesh"):
        return []
    return [
        (parameter.device_mesh, place)
        for place, placement in enumerate(parameter.placements)
        if placement.is_shard()
    ]


def _is_shard(parameter: Any) -> bool:
    return bool(_shards(parameter)) or bool(getattr(parameter, "_is_flat_param", False))
