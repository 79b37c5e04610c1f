"""The documentation of rules, generated from the rules' files: pages, an index, and an explanation for the terminal."""
