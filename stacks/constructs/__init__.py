"""One construct per responsibility; the stacks compose them."""
