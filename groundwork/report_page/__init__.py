"""A job's results as one HTML file that needs nothing else: figures, plots and a gallery."""
