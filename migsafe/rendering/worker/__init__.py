"""The process in which programs run. Nothing here is imported by migsafe itself."""
