"""What is made for one measurement is gone with it: Python's collector counts objects, and arrays are large."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest

from engine.autodiff.graph import Graph
from engine.derivation.gradcheck_in_float64 import check_matrix, check_target
from engine.diagnosis import curvature
from engine.diagnosis.diagnosis import diagnose
from engine.diagnosis.remedy_trial import confirmed
from engine.diagnosis.run_observer import RunObserver
from engine.diagnosis.whole_data import measure_all
from engine.experiment.datasets import load_data
from engine.experiment.loading import load_experiment
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.model.network import Network
from engine.training.trainer import Trainer


@pytest.fixture
def arrays_made(monkeypatch) -> Iterator[Callable[[], list[str]]]:
    """Asks for the names of nodes, of graphs made meanwhile, whose values are still there; nothing is collected."""
    made: list[tuple[str, weakref.ref]] = []
    finish = Graph.finish

    def told(graph: Graph, **how) -> Graph:
        finished = finish(graph, **how)
        computed = [node for node in graph.nodes.values() if node.op is not None]
        made.extend((node.symbol.plain(), weakref.ref(node.value)) for node in computed)
        return finished

    monkeypatch.setattr(Graph, "finish", told)
    gc.collect()
    gc.disable()
    yield lambda: [name for name, value in made if value() is not None]
    gc.enable()


def two_layers(**train) -> tuple[Experiment, Network]:
    experiment = load_experiment("tutorial-b-wine")
    if train:
        experiment = msgspec.structs.replace(
            experiment, train=msgspec.structs.replace(experiment.train, **train)
        )
    return experiment, Network.initialised(experiment, load_data(experiment).X.shape[0])


def test_a_measurement_of_all_data(arrays_made):
    experiment, network = two_layers()
    whole = measure_all(network, load_data(experiment))
    assert np.isfinite(whole.loss)
    assert arrays_made() == []


def test_a_check_in_float64(arrays_made):
    experiment, network = two_layers()
    data = load_data(experiment)
    graph = network.astype("float32").graph(data.X.astype("float32"), data.Y.astype("float32"))
    graph.forward()
    graph.backward()
    kept = len(arrays_made())
    assert check_target(network, graph, Symbol("W", 1, (0, 0))).passed
    assert check_matrix(network, graph, Symbol("W", 1)).passed
    assert len(arrays_made()) == kept


def test_a_trial_of_a_remedy(arrays_made):
    experiment = load_experiment("exploding-50")
    trainer = Trainer(experiment)
    trainer.limit = 4
    observer = RunObserver(trainer)
    for record in trainer:
        observer.saw(record)
    case = observer.case()
    found = diagnose(case)
    assert found.remedy is not None
    kept = len(arrays_made())
    confirmed(case, found)
    assert len(arrays_made()) == kept


def test_a_diagnosis_with_curvatures(arrays_made):
    trainer = Trainer(load_experiment("exploding-50"))
    trainer.limit = 3
    observer = RunObserver(trainer)
    for record in trainer:
        observer.saw(record)
    case = observer.case()
    kept = len(arrays_made())
    assert case.own.around_start.start.size  # as a finding would ask for it
    assert len(arrays_made()) > kept
    diagnose(case)
    assert len(arrays_made()) == kept


@pytest.mark.parametrize("room", [2, 5, 100])
def test_the_largest_curvature_is_found_with_few_vectors_kept(room, monkeypatch):
    size = 60
    generator = np.random.default_rng(3)
    basis = np.linalg.qr(generator.standard_normal((size, size)))[0]
    eigenvalues = np.concatenate([generator.uniform(-1.0, 5.0, size - 1), [9.0]])
    hessian = basis @ np.diag(eigenvalues) @ basis.T
    monkeypatch.setattr(curvature, "BASIS_BYTES", room * size * 8)
    found = curvature.largest_eigenvalue(lambda point: hessian @ point, np.zeros(size))
    assert found == pytest.approx(9.0, rel=1e-6)
