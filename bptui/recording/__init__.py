"""Recording a training: self-contained, Python 3.9 and later, the standard library and torch.

    optimizer.step() ──hook──> gradients ──> one line ──> run.jsonl

    watching         the hooks of one optimizer             parameter_names   what the parameters are called
    gradients        norms, exact where float32 is not      clipping          gradients as they were before clipping
    losses           from run.loss() or from backward()     activations       zeros and silent units, on request
    run_log          whole lines, whatever happens          all_optimizers    `bptui run`, which knows none

`bptui run` loads this folder by its path under another name: in the program that is recorded, bptui need not be
installed. So everything here is imported relatively.
"""
