"""What people read about rules, made from the rules' own files: pages, an index, and an explanation for the terminal."""
