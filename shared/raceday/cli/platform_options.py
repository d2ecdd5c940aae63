"""The options of every command that speaks to a platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Endpoint = Annotated[
    str,
    typer.Option(help="address of Appwrite's API, such as https://appwrite.example.org/v1 (else APPWRITE_ENDPOINT)"),
]
Project = Annotated[str, typer.Option(help="id of the project (else APPWRITE_PROJECT_ID)")]
KeyFile = Annotated[
    Path | None, typer.Option(help="file that holds the API key and nothing else (else APPWRITE_API_KEY)")
]
