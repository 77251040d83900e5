"""What a user installs: wheel and source distribution, far from the clone and among files of other people."""
