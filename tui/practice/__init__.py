"""Where the learner answers: predicting factors, exercises, finding a bug."""
