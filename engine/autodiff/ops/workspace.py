"""Room for kernels that need more than their output to compute in: allocated at first use, then used again.

Each thread has its own, so that two networks may train side by side.
"""

from __future__ import annotations
