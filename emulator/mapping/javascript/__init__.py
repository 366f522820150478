"""JavaScript's values, dates and property lookup, as Node 20 and V8 implement them."""
