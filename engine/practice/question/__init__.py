"""What is asked, and what is true of it at random networks: the derivative, the ways to it, the evidence."""
