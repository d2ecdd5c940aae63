"""How the bundle comes onto a platform: its schema, its manifest, its packages, and the check of what is live.

Never vendored into a function. The server SDK is used here, where nobody waits for milliseconds.
"""
