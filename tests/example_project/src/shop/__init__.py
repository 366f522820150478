"""A shop that tells Segment and StackAdapt about its customers."""

from shop.client import Customer, Settings, Shop

__all__ = ["Customer", "Settings", "Shop"]
