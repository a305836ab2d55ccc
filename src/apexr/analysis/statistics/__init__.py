"""How sure is it: intervals, comparisons over seeds, aggregates over problems, laws of scaling."""
