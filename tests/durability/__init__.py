"""`make durability`: kills under load, and what must hold after each."""
