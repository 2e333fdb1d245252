"""How is it all written for others: as text, Markdown, LaTeX, tables, programs?"""
