"""The rules by which StackAdapt's side decides. Pure: values in, values out; no database, no clock, no HTTP."""
