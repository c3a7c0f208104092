"""What CONTRACT promises, seen from outside: pages, forms and streams of the whole application."""
