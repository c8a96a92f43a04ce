"""The face for coding agents: the daemon's services as tools of the Model Context Protocol."""
