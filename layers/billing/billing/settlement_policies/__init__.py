"""Policy files of the settlement: the parameter SettlementPolicies names one."""
