"""What one service keeps in memory of what it answered: never older than the store, and within bounds."""
