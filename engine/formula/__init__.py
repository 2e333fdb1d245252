"""How is a formula kept, drawn, read and written?"""
