"""An attack on the application as shipped, while one person uses it: `python -m tests.attack`."""
