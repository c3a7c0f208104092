"""For whoever runs it: is it well, how busy is it, what failed, and a word to everyone."""
