"""StackAdapt segments: named rules over profiles, compiled to SQL."""
