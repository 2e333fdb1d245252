"""Every case, ours and those after public questions, and every preset: the headline, what is found, what is not."""

from __future__ import annotations

import pytest

from tests.engine.diagnosis.diagnosed import expected, of_case, shortcomings

PUBLIC = expected("expected.toml")


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_question_gets_the_right_answer(name):
    assert shortcomings(of_case(name).diagnosis, PUBLIC[name]) == []
