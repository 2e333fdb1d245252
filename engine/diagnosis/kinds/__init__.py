"""Every kind of finding, in the order in which findings are told; the first one found is the headline.

Of a run that diverged, `exploding` and `step-too-long` come directly after `diverged`: they are its causes.
A network that learns in spite of long steps is said to be learning before that: it is no reason for an alarm.
"""

from engine.diagnosis.kinds import (
    constant_inputs,
    constant_output,
    course,
    dead_units,
    diverged,
    far_apart,
    identical_units,
    learned,
    no_gradient,
    saturated,
    step_too_long,
    step_too_short,
    unreachable_labels,
    unscaled_inputs,
    zero_weights,
)
from engine.diagnosis.kinds.rule import Rule

RULES: tuple[Rule, ...] = (
    diverged.RULE,
    learned.RULE,
    step_too_short.RULE,
    zero_weights.RULE,
    constant_inputs.RULE,
    unreachable_labels.RULE,
    dead_units.SERIOUS,
    identical_units.RULE,
    unscaled_inputs.RULE,
    saturated.RULE,
    no_gradient.RULE,
    far_apart.VANISHING,
    far_apart.EXPLODING,
    constant_output.RULE,
    course.LEARNING_SURELY,
    step_too_long.RULE,
    course.OSCILLATING,
    course.PLATEAU,
    course.LEARNING,
    dead_units.MENTIONED,
)
