"""What is open: the experiment, its networks, and the runs that train them."""
