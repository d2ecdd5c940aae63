"""Invented names: tracks, horses, dogs, people, races. Nobody and no place that exists is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

TRACKS = (
    "Karrabindi", "Mount Tarrow", "Wattlefield", "Gumtree Flat", "Port Merrin", "Barrowvale", "Tullamarra",
    "Coolabrae", "Yarrindale", "Ironbark Park", "Silverlea", "Bilgowrie", "Narrowmere", "Quandong Hill",
    "Redgum Plains", "Tarrawingi", "Boronia Downs", "Mallee Creek", "Kestrel Bay", "Wirrabool", "Larkspur",
    "Dunmoor", "Emberley", "Goshawk Ridge", "Pellinore", "Stringybark", "Currawong Lea", "Bandicoot Park",
    "Waratone", "Millgrove Park", "Bundarook", "Jindaree", "Casuarina Vale", "Ochre Flats", "Merrigum Lakes",
    "Yallandoon", "Brolga Swamp", "Tamarisk", "Cooinda Park", "Lorikeet Grove", "Corella Downs", "Murrawee",
)  # fmt: skip
NZ_TRACKS = (
    "Kahurimu", "Te Awanui", "Rimutere", "Manawhero", "Pohutukawa Park", "Totaranui Flat", "Kererutown",
    "Waikorere", "Otamahau", "Tuiburn", "Harakeke Park", "Matairangi Downs",
)  # fmt: skip
FOREIGN_TRACKS = {
    "UK": ("Thornwick", "Ashcombe Down", "Little Marling"),
    "FR": ("Beaulac", "Vermandoise", "La Tourelle"),
    "USA": ("Copper Mesa", "Bluestem Downs", "Pine Hollow"),
    "HK": ("Jade Valley",),
}
_FIRST_WORDS = (
    "Amber", "Arctic", "Bold", "Brave", "Calico", "Captain", "Cedar", "Clever", "Copper", "Cosmic", "Crimson",
    "Dancing", "Distant", "Dusty", "Electric", "Emerald", "Faded", "Fancy", "Flying", "Frosty", "Gallant",
    "Gentle", "Golden", "Hidden", "Hollow", "Idle", "Ivory", "Jolly", "Lady", "Lucky", "Marble", "Midnight",
    "Misty", "Noble", "Northern", "Paper", "Pocket", "Quiet", "Rapid", "Rolling", "Rusty", "Sandy", "Scarlet",
    "Secret", "Silent", "Spirited", "Stormy", "Sunday", "Tall", "Tin", "Twice", "Velvet", "Wandering", "Wild",
)  # fmt: skip
_SECOND_WORDS = (
    "Almanac", "Anchor", "Ballad", "Banjo", "Beacon", "Bramble", "Bugle", "Cadence", "Candle", "Chapel",
    "Cipher", "Comet", "Corsair", "Cricket", "Dividend", "Drummer", "Ember", "Envoy", "Falcon", "Ferry",
    "Fiddle", "Gambit", "Harbour", "Hurricane", "Jester", "Kettle", "Lantern", "Ledger", "Legend", "Lullaby",
    "Magpie", "Meadow", "Minstrel", "Monsoon", "Nomad", "Oracle", "Paddock", "Pilgrim", "Postcard", "Promise",
    "Quarry", "Quill", "Rambler", "Riddle", "Saffron", "Sailor", "Sonata", "Tempo", "Thistle", "Timber",
    "Trinket", "Voyage", "Whisper", "Zephyr",
)  # fmt: skip
_GIVEN = (
    "Alby", "Brea", "Cato", "Dilys", "Edda", "Fenn", "Greer", "Hal", "Isla", "Jory", "Kip", "Lark", "Merrin",
    "Nell", "Orla", "Perrin", "Quin", "Rhett", "Saskia", "Tamsin", "Una", "Vance", "Wyn", "Zara",
)  # fmt: skip
_FAMILY = (
    "Abberwick", "Brackenmoor", "Cutterby", "Dallowmere", "Elverstoke", "Fernhaugh", "Gadderly", "Hobbleton",
    "Inkersole", "Jessamoor", "Kittlewell", "Loxbridge", "Mossgarth", "Netherfold", "Oxenhulme", "Pennicroft",
    "Quillane", "Rookthorn", "Saltmarrow", "Tarrowby", "Underhay", "Vennacott", "Wintergill", "Yarrowby",
)  # fmt: skip
_SPONSORS = (
    "Ironbark Timber", "Bluegum Feeds", "Harbour Tyres", "Saltbush Hotel", "Kestrel Electrical", "Mill Road Cafe",
    "Lantern Legal", "Redgum Real Estate", "Pilgrim Plumbing", "Corner Store Members", "Thistle Flowers",
    "Orchard Cider", "Quarry Concrete", "Ferryman Fishing", "Copper Kettle", "Silverlea Saddlery",
)  # fmt: skip
_KINDS = {
    "T": ("Maiden Plate", "Class 1 Handicap", "Benchmark 58", "Benchmark 64 Handicap", "Handicap", "Sprint"),
    "H": ("Mobile Pace", "Pace", "Trot", "Maiden Mobile Pace", "Mobile Trot", "NR 50 To 55 Pace"),
    "G": ("Maiden", "Grade 5", "Mixed 4/5", "Final", "Heat", "Novice"),
}


def horse_name(rng: Random) -> str:
    """Return an invented name of a horse or a dog, at most 20 characters."""
    return f"{rng.choice(_FIRST_WORDS)} {rng.choice(_SECOND_WORDS)}"


def person_name(rng: Random) -> str:
    """Return the invented name of a jockey, driver or trainer."""
    return f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}"


def owners_names(rng: Random) -> str:
    """Return an invented list of owners."""
    return ", ".join(f"{rng.choice(_GIVEN)[0]} {rng.choice(_FAMILY)}" for _ in range(rng.randint(1, 5)))


def race_name(rng: Random, category: str) -> str:
    """Return an invented race title."""
    return f"{rng.choice(_SPONSORS)} {rng.choice(_KINDS[category])}"
