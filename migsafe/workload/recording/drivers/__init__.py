"""The drivers and the libraries above them that report each statement to the recorder, one module each."""
