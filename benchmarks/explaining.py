"""What it costs to explain one weight of a deep network, beside one forward and one backward pass of it.

    python -m benchmarks.explaining [--threads 1] [--seconds 1]

The network has 50 hidden layers of 64 ReLUs; the entry is of W[1]. "explain" finds the strongest path and the first
step; "all steps" makes every step with all its terms as well, formulas and numbers included.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from benchmarks.timing import in_turns, set_threads

SAMPLES = (1, 32, 256)
PASSES, EXPLAIN, ALL_STEPS = "forward and backward", "explain", "all steps"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1, help="threads that NumPy may use")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each row's contestants")
    options = parser.parse_args()
    set_threads(options.threads)

    from benchmarks.cases import CASES
    from engine.derivation.chain_rule import explain
    from engine.experiment.datasets import load_data
    from engine.formula.expression import Symbol
    from engine.model.network import Network

    (deep,) = (case for case in CASES if case.hidden == (64,) * 50)
    print(f"| n | {PASSES} | {EXPLAIN} | ratio | {ALL_STEPS} | ratio |")
    print("|---|---|---|---|---|---|")
    for n in SAMPLES:
        experiment = replace(deep, n=n).experiment()
        data = load_data(experiment)
        graph = Network.initialised(experiment, deep.features).graph(data.X, data.Y)
        graph.forward()
        graph.backward()
        gradient = graph.nodes[Symbol("W", 1)].grad
        row, column = divmod(int(abs(gradient).argmax()), gradient.shape[1])
        target = Symbol("W", 1).at((row, column))

        def passes(graph=graph) -> None:
            graph.forward()
            graph.backward()

        steps = {
            PASSES: passes,
            EXPLAIN: lambda graph=graph, target=target: explain(graph, target)[0],
            ALL_STEPS: lambda graph=graph, target=target: list(explain(graph, target)),
        }
        times = in_turns(steps, options.seconds, options.threads)
        ratios = [times[name] / times[PASSES] for name in (EXPLAIN, ALL_STEPS)]
        print(
            f"| {n} | {times[PASSES] * 1e3:.2f} ms | {times[EXPLAIN] * 1e3:.2f} ms | {ratios[0]:.2f}× "
            f"| {times[ALL_STEPS] * 1e3:.2f} ms | {ratios[1]:.2f}× |",
            flush=True,
        )


if __name__ == "__main__":
    main()
