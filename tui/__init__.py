"""The terminal interface of bptui: screens and a command line that read what the engine computes."""
