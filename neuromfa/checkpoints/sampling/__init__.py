"""Which neurons a seed draws, and the weights between them, stored or drawn anew."""
