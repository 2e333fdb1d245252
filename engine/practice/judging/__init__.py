"""Is it right? Answers beside the truth, at random networks; numbers, derivations and arrays of gradients as well."""
