"""The faults, one per module. `definition.registry` finds every `Fault` defined in a module of this package."""
