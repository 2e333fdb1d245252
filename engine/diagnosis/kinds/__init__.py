"""Every kind of finding, in the order in which findings are told; the first one found is the headline.

Of a run that diverged, `exploding` and `step-too-long` come directly after `diverged`: they are its causes.
Of a network that surely learns (`learning.find_surely`) that is said before all that is found besides, and the
headline names the first of it: "Learning, but exploding".
"""

from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.kinds import (
    constant_inputs,
    constant_output,
    dead_units,
    diverged,
    identical_units,
    learned,
    learning,
    no_gradient,
    oscillating,
    plateau,
    saturated,
    step_too_long,
    step_too_short,
    unreachable_labels,
    unscaled_inputs,
    vanishing_exploding,
    zero_weights,
)

RULES: tuple[Rule, ...] = (
    diverged.RULE,
    learned.RULE,
    learning.SURELY,
    step_too_short.RULE,
    zero_weights.RULE,
    constant_inputs.RULE,
    unreachable_labels.RULE,
    dead_units.SERIOUS,
    identical_units.RULE,
    unscaled_inputs.RULE,
    saturated.RULE,
    no_gradient.RULE,
    vanishing_exploding.VANISHING,
    vanishing_exploding.EXPLODING,
    constant_output.RULE,
    step_too_long.RULE,
    oscillating.RULE,
    plateau.RULE,
    learning.RULE,
    dead_units.MENTIONED,
)
