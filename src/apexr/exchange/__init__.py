"""Formats of other programs, written and read; no module of it knows JAX.

Written: tables in CSV and Parquet (``_tables.py``), trajectories in the layout of The Well
(``_well.py``). A file comes into sight whole, or not at all (``_whole.py``). Read: recorded
trajectories (``readers/``), tables and weights of the published benchmark (``benchmark/``). A file
that is read is data, and never run.
"""

from apexr._doors import check_all
from apexr.exchange._tables import write_table
from apexr.exchange._well import to_well
from apexr.exchange.benchmark._cells import read_keywords

__all__ = ["read_keywords", "to_well", "write_table"]

check_all(globals(), filled=True)
