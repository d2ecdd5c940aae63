"""A stand-in NZ TAB feed: a modelled race day, faults on demand, and replay of captured responses.

Start reading at `programme` (what is run today), then `race_script` (when what happens), `race_model` (one race
with its market, pools and finish), `feed` (the responses) and `app` (the HTTP face of it).
"""
