"""What the records say, for people."""
