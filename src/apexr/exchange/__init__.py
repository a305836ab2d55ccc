"""Formats of other programs: tables in CSV and Parquet, trajectories in the layout of The Well.

A file comes into sight whole, or not at all; a file that is read is data, and never run.
"""

from apexr._doors import check_all
from apexr.exchange._literals import read_keywords
from apexr.exchange._tables import write_table
from apexr.exchange._well import to_well

__all__ = ["read_keywords", "to_well", "write_table"]

check_all(globals(), filled=True)
