"""The public interface: each command as a function with a typed result, which prints nothing. The command line calls it, too."""
