"""Answers under other conventions: weights (out, in), other losses, a penalty, norms with an affine part."""

from __future__ import annotations

import pytest

from tests.engine.practice.questions import inline, judge_in, network

DATA = inline([[0.5, -0.2, 1.0], [0.1, 0.4, -0.7], [0.3, 0.8, -1.1]], [[1.0, 0.3, -0.2]])
RELU, TANH = ({"units": 2, "activation": name} for name in ("relu", "tanh"))
OUT = {"units": 1, "activation": "linear"}
SQUARED = {"kind": "squared_error"}
SUM_K = "sum over k ((Y_hat[0,k]-Y[0,k])/n*W[2][0,{unit}]*1{{f[1][1,k]>0}}*X[0,k])"
NORM = {"units": 2, "activation": "relu", "norm": "batch", "affine": True}


@pytest.mark.parametrize(
    ("wrt", "layers", "more", "loss", "right", "wrong"),
    [
        ("W[1]", (RELU, OUT), {"weights": "out_in"}, SQUARED,
         "((W[2].T @ (Y_hat-Y)/n)*(f[1]>0)) @ X.T", "X @ ((W[2].T @ (Y_hat-Y)/n)*(f[1]>0)).T"),
        ("W[1][1,0]", (RELU, OUT), {"weights": "out_in"}, SQUARED, SUM_K.format(unit=1), SUM_K.format(unit=0)),
        ("f[2][0,1]", (TANH, OUT), {}, SQUARED | {"half": False}, "2*(Y_hat[0,1]-Y[0,1])/n", "(Y_hat[0,1]-Y[0,1])/n"),
        ("f[2][0,1]", (TANH, OUT), {}, SQUARED | {"samples": "sum"}, "Y_hat[0,1]-Y[0,1]", "(Y_hat[0,1]-Y[0,1])/n"),
        ("W[2]", (TANH, OUT), {}, SQUARED | {"l2": 0.1}, "a[1] @ (Y_hat-Y).T/n + 0.1*W[2]", "a[1] @ (Y_hat-Y).T/n"),
        ("f[2][0,1]", (TANH, OUT), {}, {"kind": "huber"},
         "max(-1, min(1, Y_hat[0,1]-Y[0,1]))/n", "(Y_hat[0,1]-Y[0,1])/n"),
        ("scale[1]", (NORM, OUT), {}, SQUARED, "sum(dE/du[1]*h[1], axis=1)", "sum(dE/du[1], axis=1)"),
    ],
)  # fmt: skip
def test_other_conventions(wrt, layers, more, loss, right, wrong):
    judge = judge_in(wrt, data=DATA, network=network(*layers, **more), loss=loss)
    assert judge.judge(right).verdict == "right"
    verdict = judge.judge(wrong)
    assert verdict.verdict == "wrong"
    assert verdict.mistakes


def test_a_forgotten_penalty_is_named():
    judge = judge_in("W[2][0,0]", data=DATA, network=network(TANH, OUT), loss=SQUARED | {"l2": 0.1})
    (found,) = judge.judge("sum over k (Y_hat[0,k]-Y[0,k])*a[1][0,k]/n").mistakes
    assert found.kind == "path"
    assert found.what == "0.1*W[2][0,0]"
