"""Prometheus, its alerts and Grafana's dashboard for one deployment, and the run that proves them."""
