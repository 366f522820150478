"""Screens named as those below StackAdapt's *Audience & Attribution › Customer Data*."""
