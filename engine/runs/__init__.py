"""How is a run kept, in memory and on disk?"""
