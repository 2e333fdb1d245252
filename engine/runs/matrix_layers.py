"""Which of a log's layers findings speak of: matrices, as a bias or a scale has a gradient of another kind.

layers.0.weight (256, 784)   a matrix                layers.0.bias (256,)   none
"""

from __future__ import annotations

import re

from engine.runs.run_log_lines import RunLogHeader

_VECTORS = re.compile(
    r"(?:^|[._/])(?:bias|beta|gamma)(?:$|[\[_])|(?:norm|ln_?\w*|bn\d*)[._/]\w+$", re.IGNORECASE
)
"""Names of what is mostly a vector, where a log knows no shapes."""


def matrices_of(header: RunLogHeader) -> list[int]:
    """The places of the layers that are weight matrices, not biases; all layers where there would be none."""
    if any(header.shapes):
        places = [place for place, shape in enumerate(header.shapes) if len(shape) >= 2]
    else:
        places = [place for place, name in enumerate(header.layers) if not _VECTORS.search(name)]
    return places or list(range(len(header.layers)))
