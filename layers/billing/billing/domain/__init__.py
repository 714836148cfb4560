"""What is billed, when and whether: pure functions that know no AWS, no HTTP and no clock."""
