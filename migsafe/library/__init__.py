"""What migsafe does, for the command line and for other programs: from what was asked to what was found, without a word printed."""
