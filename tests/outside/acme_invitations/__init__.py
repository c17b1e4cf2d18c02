"""Providers for the invitation worker, brought by a distribution of their own."""
