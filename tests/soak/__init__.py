"""Mixed traffic for an hour, with faults all the time."""
