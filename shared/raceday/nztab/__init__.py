"""The NZ TAB racing feed: asking it, understanding its answers, and mapping them to the domain."""
