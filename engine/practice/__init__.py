"""Does the learner's own derivation hold, and if not, which mistake is it?"""
