"""Documents of others (HEP Benchmark Suite, CRIC, REBUS, CSV) to our own types. Pure functions on bounded bytes."""
