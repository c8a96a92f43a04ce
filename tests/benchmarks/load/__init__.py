"""How the shared daemon stands many clients, long days and clients that die."""
