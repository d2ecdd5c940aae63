"""What the tote adds on request: the trends document, the quinella grid, the will-pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceday.simulator.tote_market import floored
from raceday.simulator.wire import NEW_ZEALAND, instant, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from raceday.simulator.race_model import RaceModel

_PLACES = {"TFA": 3, "FT4": 4}
_QUINELLA_RETURNED = 0.825
_WILL_PAY_RETURNED = 0.8
_LEAST_SHARE = 0.0005
_LEAST_CHANCE = 1e-6


def trends_document(model: RaceModel, bet_type: str, total: float, shares: Sequence[float]) -> str:
    """Return the XML text (CRLF) with the money on every runner, per place for trifecta and first four."""
    day = instant(model.race.script.first_start_s).astimezone(NEW_ZEALAND).date()
    places = _PLACES.get(bet_type)
    lines = [
        "<meetings>",
        f"  <date>{day}</date>",
        f'  <meeting meeting_number="{model.meeting.tote_meeting_number}" meeting_type="R">',
        f'    <race race_number="{model.race.number}">',
        "      <bet_types>",
        f'        <bet_type type="{bet_type}">',
        f"          <pool_total>{total:.2f}</pool_total>",
        f'          <runners race_number="{model.race.number}">',
    ]
    names = ["runner_investment"] if places is None else [f"runner_investment{n + 1}" for n in range(places)]
    for runner, share in zip(model.runners, shares, strict=True):
        money = f"{total * share:.2f}"
        lines.append(f'            <runner runner_number="{runner.runner.number}">')
        lines += [f"              <{name}>{money}</{name}>" for name in names]
        lines.append("            </runner>")
    lines += ["          </runners>", "        </bet_type>", "      </bet_types>", "    </race>", "  </meeting>"]
    return "\r\n".join((*lines, "</meetings>", ""))


def quinella_grid(model: RaceModel, shares: Sequence[float]) -> list[dict[str, object]]:
    """Return `qla_odds`: per runner its rank and the odds with every other one, `scr` for the scratched."""
    field = range(len(shares))
    ranked = sorted(field, key=lambda place: -shares[place])
    favouritism = {place: rank for rank, place in enumerate(ranked, start=1)}
    rows = [["-"] * len(shares) for _ in field]
    for one in field:
        for other in range(one):
            rows[one][other] = rows[other][one] = _pair_odds(shares[one], shares[other])
    return [
        {
            "favouritism": favouritism[place],
            "sel": model.runners[place].runner.number,
            "oddsString": "|".join(rows[place]),
        }
        for place in field
    ]


def _pair_odds(one: float, other: float) -> str:
    """Return the odds of two runners finishing first and second in either order."""
    if not one or not other:
        return "scr"
    chance = one * other * (1 / max(_LEAST_SHARE, 1 - one) + 1 / max(_LEAST_SHARE, 1 - other))
    return f"{floored(_QUINELLA_RETURNED / max(chance, _LEAST_CHANCE)):.2f}"


def will_pays(model: RaceModel, total: float, alive: float, shares: Sequence[float]) -> list[dict[str, object]]:
    """Return what a pool over several races will pay per winner of its last leg; `alive` dollars still can win."""
    per_unit = _WILL_PAY_RETURNED * total / alive if alive else 0
    return [
        {"odds": plain(floored(per_unit / max(share, _LEAST_SHARE))), "sel": runner.runner.number}
        for runner, share in zip(model.runners, shares, strict=True)
        if share
    ]
