"""Small programs that enqueue and hear back, in several languages, to copy from. They know nothing of this project."""
