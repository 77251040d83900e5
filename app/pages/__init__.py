"""What the pages show: records made from the store, and the templates that say them."""
