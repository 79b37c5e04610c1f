"""The interface for coding agents: the commands as tools of a server of the Model Context Protocol (MCP), on standard input and output."""
