"""What other programs, books and courses call our words: for the question after an unknown one.

lr = 0.1    ──>    train.lr: unknown key; did you mean "learning_rate"?
"""

from __future__ import annotations

OTHER_NAMES = {
    "squared_error": ("mse", "mseloss", "mean_squared_error", "sse", "l2", "l2loss", "quadratic"),
    "absolute_error": ("mae", "l1", "l1loss", "mean_absolute_error"),
    "huber": ("smooth_l1", "smoothl1loss", "huberloss"),
    "bce": (
        "bceloss",
        "binary_cross_entropy",
        "binary_crossentropy",
        "log_loss",
        "logistic_loss",
        "bcewithlogitsloss",
    ),
    "cross_entropy": ("crossentropyloss", "categorical_crossentropy", "ce", "nll", "nllloss", "softmax_loss"),
    "sigmoid": ("logistic", "sigm", "expit"),
    "linear": ("identity", "none", "no"),
    "silu": ("swish",),
    "step": ("heaviside", "threshold", "sign"),
    "leaky_relu": ("lrelu", "leakyrelu", "prelu"),
    "learning_rate": ("lr", "eta", "learningrate", "rate", "step_size"),
    "steps": ("epochs", "iterations", "iters", "n_iter"),
    "batch": ("batch_size", "batchsize", "minibatch"),
    "optimizer": ("optim", "optimiser", "solver", "method"),
    "units": ("neurons", "nodes", "size", "width", "out_features", "hidden", "n"),
    "activation": ("act", "function", "nonlinearity"),
    "b": ("bias", "biases"),
    "W": ("weights", "weight"),
    "delta": ("beta", "threshold"),
    "l2": ("lambda", "lam", "regularization", "weight_decay", "reg"),
    "layers": ("layer",),
    "pytorch": ("kaiming_uniform", "default", "torch"),
    "he": ("kaiming", "kaiming_normal", "he_normal"),
    "xavier": ("glorot", "glorot_normal", "xavier_normal"),
    "momentum": ("mu", "heavy_ball"),
}
"""Our word, and what else it is called."""


def our_words(word: str) -> list[str]:
    """The keys of an experiment file that a word from elsewhere may mean: ``lr`` is learning_rate."""
    asked = word.casefold().replace("-", "_").replace(" ", "_")
    return [ours for ours, others in OTHER_NAMES.items() if asked in others]
