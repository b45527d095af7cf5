"""The sky: angles as people write them, regions, and the SQL that asks whether a position lies in one."""
