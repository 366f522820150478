"""The rules of the StackAdapt service. Pure: values in, values out; no database, no clock, no HTTP."""
