"""What a month costs: in calls to NetSuite and Stripe, which are the physical limit, and in seconds. `make bench`.

No test depends on these numbers: machines differ. Calls do not differ, and those have tests of their own.
"""
