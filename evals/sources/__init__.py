"""How a row of a benchmark is read, one file a kind: question, reference, own id, group, date."""
