"""What every screen shares: keys, theme, prompts, pages, the terminal."""
