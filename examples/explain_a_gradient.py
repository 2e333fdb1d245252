"""Take one gradient apart: where it comes from, factor by factor, and whether a central difference agrees.

python examples/explain_a_gradient.py
"""

from engine import EvaluatedExperiment, explain, load_experiment, parse_symbol, written_text

evaluated = EvaluatedExperiment.of(load_experiment("tutorial-b"))
target = parse_symbol("W[1][1,1]")
derivation = explain(evaluated.graph, target)

print(written_text(derivation, "One weight of the first layer", evaluated.check(target)))

product = 1.0
for step in derivation:
    for term in step.terms[:1]:
        print(f"{term.symbol.plain():<32}{term.local:>10.5f}")
        product *= term.local
print(f"{'their product':<32}{product:>10.5f}")
print(f"{'the gradient':<32}{derivation.value:>10.5f}")
