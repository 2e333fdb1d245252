"""Hypothesis profiles; choose another than `dev` with HYPOTHESIS_PROFILE.

dev      the default: quick, and the same examples for the same code, so that a commit passes or fails for good
explore  new examples in every run, and more of them: for looking for what nobody thought of
"""

import os

from hypothesis import HealthCheck, settings

# Neither deadlines nor complaints about slow drawing: a busy machine is no defect.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", patient, derandomize=True, max_examples=80)
settings.register_profile("explore", patient, derandomize=False, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
