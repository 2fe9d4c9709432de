"""Image classification: one class for each picture, from the features of the whole of it."""
