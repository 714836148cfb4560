"""S3, Secrets Manager, SES, KMS, Step Functions and CloudFormation."""
