"""Many processes on one installation: killed, on several hosts, without their servers, for long."""
