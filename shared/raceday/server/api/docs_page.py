"""`/api-docs`: the API's document to click through, in development, without anything from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from raceday.server.api.middleware.plain import DOCS_PATH

_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>RaceDay API</title>
<link rel="stylesheet" href="{DOCS_PATH}/static/swagger-ui.css">
<link rel="icon" type="image/png" href="{DOCS_PATH}/static/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{DOCS_PATH}/static/swagger-ui-bundle.js"></script>
<script src="{DOCS_PATH}/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null
});
"""


async def _page(_: Request) -> Response:
    return HTMLResponse(_PAGE)


async def _start(_: Request) -> Response:
    return Response(_START, media_type="text/javascript")


def add_docs_page(app: FastAPI) -> None:
    """Serve the page and its files from the package that is installed."""
    app.add_route(DOCS_PATH, _page, include_in_schema=False)
    app.add_route(f"{DOCS_PATH}/start.js", _start, include_in_schema=False)
    app.mount(f"{DOCS_PATH}/static", StaticFiles(directory=Path(str(files("swagger_ui") / "static"))))
