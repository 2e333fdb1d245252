"""The `bptui` command: arguments in, text out, exit statuses."""
