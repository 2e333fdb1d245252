"""Train an experiment that is written here, and watch the gradients of its layers.

python examples/train_and_print.py
"""

from engine import Trainer, parse_experiment

EXPERIMENT = """
title = "Two half moons"
seed = 1
[data]
kind = "moons"
n = 200
[network]
bias = true
[[network.layers]]
units = 8
activation = "tanh"
repeat = 2
[[network.layers]]
units = 1
activation = "sigmoid"
[network.init]
scheme = "xavier"
[loss]
kind = "bce"
[train]
optimizer = "adam"
learning_rate = 0.03
steps = 200
"""

print(f"{'step':>5}{'loss':>10}{'accuracy':>10}   L2 of ∂ℰ/∂W, layer by layer")
for record in Trainer(parse_experiment(EXPERIMENT, "moons")):
    if record.step % 40 == 0 or record.step == 1:
        norms = "  ".join(f"{norm:.4f}" for norm in record.grad_l2)
        print(f"{record.step:>5}{record.loss:>10.4f}{record.accuracy:>10.1%}   {norms}")
