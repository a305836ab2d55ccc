"""Tables for a paper: cells of medians over seeds, laid out and written in any markup."""
