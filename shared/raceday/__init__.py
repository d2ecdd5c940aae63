"""RaceDay: follows a day of Australian and New Zealand horse racing through the NZ TAB feed."""

__version__ = "0.1.0"
