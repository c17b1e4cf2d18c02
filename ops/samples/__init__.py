"""Files to try things with, and what makes them."""
