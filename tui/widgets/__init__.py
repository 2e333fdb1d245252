"""The parts that screens are made of; each draws one immutable record."""
