"""Landed samples per CPU-second: polled from many devices, on the disk after a SIGKILL, beside a peer."""
