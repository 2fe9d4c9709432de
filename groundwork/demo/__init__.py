"""The demo: the whole product once through, on the local cloud, with simulated workers."""
