"""Hypothesis profiles: `dev` (the default) is quick, `ci` looks longer. Choose with HYPOTHESIS_PROFILE."""

import os

from hypothesis import settings

# Randomness stays on: every run looks at new examples. Deadlines are off: a busy machine is no defect.
settings.register_profile("dev", deadline=None, derandomize=False, max_examples=80)
settings.register_profile("ci", deadline=None, derandomize=False, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
