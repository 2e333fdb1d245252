"""The commands, one a file. What is slow to import is imported when a command runs, never before.

open  presets  lesson  grads  explain  check  compare  answer  grade  worksheet  exercise  train
watch  screenshot  completion
"""
