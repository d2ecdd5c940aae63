"""A configuration's row as people's tools and careless hands write it."""

from __future__ import annotations

import math

import pytest

from raceday.domain.alerts.config import AlertKind, BrokenAlertConfig
from raceday.store.rows.alerts import CONFIG_COLUMNS, alert_config
from raceday.store.rows.owners import OWN_CONFIG, belongs_to, owner_permissions

ROW: dict[str, object] = {
    "$id": "c", "userId": "ann", "alertType": "odds_shortening", "threshold": 5, "enabled": 1,
    "$updatedAt": "2026-11-22T04:00:00.000+00:00", "$permissions": '["read(\\"user:ann\\")"]',
}  # fmt: skip


def config(**columns: object):
    return alert_config(tuple((ROW | columns).get(name) for name in CONFIG_COLUMNS))


def test_whole_numbers_may_come_as_decimals():
    read = config(threshold=5, timeWindowSeconds=60.0, displayOrder=2.0)
    assert (read.at_least, read.window_s, read.display_order) == (5.0, 60, 2)
    assert config().window_s == 300


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"threshold": math.nan}, "threshold"),
        ({"threshold": "5"}, "threshold is no number"),
        ({"threshold": True}, "threshold is no number"),
        ({"timeWindowSeconds": 1.5}, "no whole number"),
        ({"timeWindowSeconds": math.inf}, "no whole number"),
        ({"cooldownSeconds": -1}, "cooldownSeconds"),
        ({"alertType": "", "indicatorType": "rainfall"}, "neither"),
        ({"alertType": 7}, "neither"),
        ({"userId": None}, "nobody's"),
        ({"$permissions": '["read(\\"user:ben\\")"]'}, "permissions"),
        ({"$permissions": "[]"}, "permissions"),
        ({"$permissions": None}, "permissions"),
        ({"userId": "Default User"}, "permissions"),
        ({"$updatedAt": "yesterday"}, "updatedAt"),
    ],
)
def test_what_cannot_mean_anything_says_why(columns: dict[str, object], reason: str):
    with pytest.raises(BrokenAlertConfig, match=reason):
        config(**columns)


def test_a_threshold_goes_before_the_range_of_the_same_row():
    assert config(indicatorType="percentage_range", percentageRangeMin=5.0).kind is AlertKind.ODDS_SHORTENING


def test_a_bad_colour_costs_only_the_colour():
    assert config(color="red; url(x)").colour is None
    assert config(color="#A1B2C3").colour == "#A1B2C3"


def test_a_row_of_a_user_of_the_platform_must_name_that_user():
    assert belongs_to("ann", '["read(\\"user:ann\\")"]')
    assert belongs_to("ann", '["update(\\"user:ann\\")", "read(\\"user:ann\\")"]')
    for permissions in ('["read(\\"user:ann\\")"]', '["update(\\"user:an\\")"]', '["read(\\"any\\")"]', "[]", "", None):
        assert not belongs_to("an", permissions)


def test_a_row_of_a_name_that_is_no_user_must_name_nobody():
    assert all(belongs_to("Default User", permissions) for permissions in ("[]", "", None))
    assert not belongs_to("Default User", '["read(\\"user:ann\\")"]')
    assert not belongs_to("Default User", '["read(\\"user:Default User\\")"]')
    assert config(userId="Default User", **{"$permissions": "[]"}).user_id == "Default User"


@pytest.mark.parametrize("permissions", ['read("user:ann")', "5", "{}", '"read(\\"user:ann\\")"', 5, b"[]"])
def test_permissions_that_cannot_be_read_are_nobodys(permissions: object):
    assert not belongs_to("ann", permissions)
    assert not belongs_to("Default User", permissions)


@pytest.mark.parametrize("user_id", ["Default User", "", '") , read("any', "_x", "ä", "a" * 37, "ann\n"])
def test_only_a_user_of_the_platform_is_granted_anything(user_id: str):
    assert owner_permissions(user_id, OWN_CONFIG) == "[]"
