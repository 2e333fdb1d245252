"""What does an experiment file say, and is it right? The specification, its data, its mistakes."""
