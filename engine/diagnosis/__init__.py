"""What is wrong with a network that does not learn, and why?"""
