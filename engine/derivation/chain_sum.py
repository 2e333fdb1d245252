"""The whole gradient beside one product: what a path's factors multiply up to, and what other paths and samples add.

     ∂ℰ      ∂ℰ     ∂Ŷ₀₀
    ──── =  ──── · ────── · …   +  8 more paths  +  1099 more samples
     ∂W     ∂Ŷ₀₀   ∂f₀₀

A chain of factors is the gradient only where there is one path and one sample. Elsewhere it is one term of a sum, and
whoever writes "=" has to write the rest of it as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.derivation.chain_rule import Derivation


@dataclass(frozen=True, slots=True)
class ChainSum:
    """The sum of which a derivation's path is one term: gradient = product + other paths + other samples.

    `product` is the path's; `more_paths` others lead through the same sample and add `paths_value`; `more_samples`
    others have a share as well, and add `samples_value`. Where there are none, their value is 0.
    """

    gradient: float
    product: float
    more_paths: int
    paths_value: float
    more_samples: int
    samples_value: float

    @property
    def is_whole(self) -> bool:
        """Whether the path's product is the whole gradient."""
        return not self.more_paths and not self.more_samples


def chain_sum(derivation: Derivation) -> ChainSum:
    """The sum of which the derivation's path is one term."""
    product = derivation[-1].running
    more_paths, more_samples = derivation.path_count - 1, len(derivation.samples) - 1
    return ChainSum(
        gradient=derivation.value,
        product=product,
        more_paths=more_paths,
        paths_value=derivation.sample_value - product if more_paths else 0.0,
        more_samples=more_samples,
        samples_value=derivation.value - derivation.sample_value if more_samples else 0.0,
    )
