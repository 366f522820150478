"""JavaScript's values, dates and property lookup, as Node and V8 implement them."""
