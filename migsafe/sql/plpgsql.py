def body_operations(text, block): return ()
