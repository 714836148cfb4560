"""What a month costs: in calls to NetSuite and Stripe, which are the physical limit, in dollars and in seconds.

`make bench` measures, keeps what it found in results.json and writes docs/benchmarks.md from it. Counts are the same on
every machine and have tests; times are not.
"""
