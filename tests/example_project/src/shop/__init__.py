"""A shop that sends its customers to Segment and StackAdapt."""

from shop.client import Customer, Settings, Shop

__all__ = ["Customer", "Settings", "Shop"]
