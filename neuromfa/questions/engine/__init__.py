"""How any question is answered: the choice of engine, stored samples, and the two ways to the data."""
